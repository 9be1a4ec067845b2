/* See copy.h. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "copy.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3: without it vm.memfd_noexec may take the right away */
#endif

enum { SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL };

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden"))); /* the linker's */

static struct {
    const uint8_t *bytes; /* NULL where the file could not be mapped */
    size_t size;
    int error; /* the errno of that */
} original;

/* The memfd for the children of this process. A host that closes all descriptors closes this one
 * too and may get its number for another file, so the file is known by its inode. */
static struct {
    int fd;
    dev_t device;
    ino_t inode;
} reserve = {.fd = -1};

/* ---- The original -------------------------------------------------------------------------- */

void copy_keep(void)
{
    Dl_info self;
    struct stat file;
    void *bytes = MAP_FAILED;
    int fd = -1;

    if (dladdr(&__ehdr_start, &self) != 0)
        fd = open(self.dli_fname, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &file) == 0)
        bytes = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes != MAP_FAILED) {
        original.bytes = bytes;
        original.size = (size_t)file.st_size;
    } else {
        original.error = errno;
    }
    if (fd >= 0)
        close(fd);
}

/* same_library - whether the kept file is what the loader mapped: it may have been replaced in
 * between. The first segment holds the build id, the symbols and all relocations. */
static int same_library(void)
{
    const ElfW(Phdr) *segment = (const void *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);

    while (segment->p_type != PT_LOAD)
        segment++;
    return segment->p_offset == 0 && segment->p_filesz <= original.size &&
           memcmp(original.bytes, &__ehdr_start, segment->p_filesz) == 0;
}

/* ---- Files --------------------------------------------------------------------------------- */

/* explain - add a reason to those in why. */
__attribute__((format(printf, 3, 4))) static void explain(char *why, size_t room,
                                                          const char *format, ...)
{
    const size_t used = strlen(why);
    va_list arguments;

    if (used > 0 && room - used > 2)
        strcpy(why + used, "; ");
    va_start(arguments, format);
    vsnprintf(why + strlen(why), room - strlen(why), format, arguments);
    va_end(arguments);
}

/* make_memory - an empty memfd, or -1. Not one of the standard streams: a host may have closed
 * those, and would write to it. */
static int make_memory(void)
{
    const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("libglide", flags | MFD_EXEC);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("libglide", flags);
    if (fd >= 0 && fd <= STDERR_FILENO) {
        const int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

        close(fd);
        fd = higher;
    }
    return fd;
}

/* write_original - write all of it from the beginning; 0 with errno where it does not go. */
static int write_original(int fd)
{
    struct rlimit limit;
    size_t done = 0;

    /* Beyond this limit a write would raise SIGXFSZ, which ends the process. */
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < original.size) {
        errno = EFBIG;
        return 0;
    }
    while (done < original.size) {
        const ssize_t n = pwrite(fd, original.bytes + done, original.size - done, (off_t)done);

        if (n < 0 && errno != EINTR)
            return 0;
        done += n > 0 ? (size_t)n : 0;
    }
    return 1;
}

static int sealed(int fd)
{
    return fcntl(fd, F_GET_SEALS) == SEALS;
}

/* fill_memory - the bytes into a memfd. Several children may do so at once: all write the same
 * bytes to the same places, the first that is done seals it, and to the others that is as good as
 * having written it. None waits for another, which may have been stopped. */
static int fill_memory(int fd)
{
    if (sealed(fd) || (write_original(fd) && fcntl(fd, F_ADD_SEALS, SEALS) == 0))
        return 1;
    return sealed(fd);
}

/* ---- Loading ------------------------------------------------------------------------------- */

/* load_memory - from a filled memfd. The loader takes a name that it has met before for the same
 * library, whatever is there now; more slashes make another name of the same file. */
static void *load_memory(int fd)
{
    char path[96];

    for (int slashes = 1; slashes <= 64; slashes++) {
        void *other;

        snprintf(path, sizeof path, "/proc/self/fd%.*s%d", slashes,
                 "////////////////////////////////////////////////////////////////", fd);
        other = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
        if (other == NULL)
            break;
        dlclose(other);
    }
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static int reserved(void)
{
    struct stat file;

    return reserve.fd >= 0 && fstat(reserve.fd, &file) == 0 && file.st_dev == reserve.device &&
           file.st_ino == reserve.inode;
}

void copy_reserve(void)
{
    struct stat file;

    if (reserved() || original.bytes == NULL)
        return;
    reserve.fd = make_memory();
    if (reserve.fd >= 0 && fstat(reserve.fd, &file) == 0) {
        reserve.device = file.st_dev;
        reserve.inode = file.st_ino;
    }
}

static void *copy_in_memory(char *why, size_t room)
{
    const int fd = reserved() ? reserve.fd : make_memory();
    void *library = NULL;

    if (fd < 0)
        explain(why, room, "memfd_create: %s", strerror(errno));
    else if (!fill_memory(fd))
        explain(why, room, "writing to a memfd: %s", strerror(errno));
    else if ((library = load_memory(fd)) == NULL)
        explain(why, room, "%s", dlerror());
    if (fd >= 0)
        close(fd); /* the mapped copy stays; children of this process need a file of their own */
    reserve.fd = -1;
    return library;
}

static void *copy_in_folder(const char *folder, char *why, size_t room)
{
    char path[4096];
    void *library = NULL;
    int fd;

    if (snprintf(path, sizeof path, "%s/libglide-XXXXXX", folder) >= (int)sizeof path)
        return NULL;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        explain(why, room, "a file in %s: %s", folder, strerror(errno));
        return NULL;
    }
    if (!write_original(fd))
        explain(why, room, "writing to %s: %s", path, strerror(errno));
    else if ((library = dlopen(path, RTLD_NOW | RTLD_LOCAL)) == NULL)
        explain(why, room, "%s", dlerror());
    unlink(path);
    close(fd);
    return library;
}

/* ---- The loader's lock --------------------------------------------------------------------- */

enum { LOCK_PATIENCE = 5 }; /* seconds; others hold it for microseconds */

static sem_t list_free; /* zeroed, and so good, with the value 0 */

static int stop(struct dl_phdr_info *info, size_t size, void *nothing)
{
    (void)info, (void)size, (void)nothing;
    return 1;
}

static void *visit_list(void *nothing)
{
    dl_iterate_phdr(stop, NULL);
    sem_post(&list_free);
    return nothing;
}

/* loader_usable - whether the lock of the loader's list can be had. fork() frees the loader's other
 * locks in the child, but not this one: if a thread of the parent held it, as dl_iterate_phdr()
 * does, it is never freed, and dlopen() would hang. So another thread tries it first. */
static int loader_usable(char *why, size_t room)
{
    static int tried, usable;
    struct timespec limit;
    pthread_t visitor;

    if (!tried) {
        const int error = pthread_create(&visitor, NULL, visit_list, NULL);

        if (error != 0) {
            explain(why, room, "no thread can be started: %s", strerror(error));
            return 0;
        }
        pthread_detach(visitor);
    }
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += tried ? 0 : LOCK_PATIENCE;
    tried = 1;
    while (!usable) {
        usable = sem_clockwait(&list_free, CLOCK_MONOTONIC, &limit) == 0;
        if (!usable && errno != EINTR)
            break;
    }
    if (!usable)
        explain(why, room,
                "the loader's list is locked, as by dl_iterate_phdr in another thread when this "
                "process was forked");
    return usable;
}

/* ---- Room ---------------------------------------------------------------------------------- */

enum { DESCRIPTORS = 8 }; /* the file itself, and what the Go runtime opens */

/* descriptors_free - whether there are enough: a Go runtime that starts without them ends the
 * process. */
static int descriptors_free(char *why, size_t room)
{
    int descriptors[DESCRIPTORS], count = 0, error = 0;

    while (error == 0 && count < DESCRIPTORS) {
        descriptors[count] = eventfd(0, EFD_CLOEXEC);
        error = descriptors[count] < 0 ? errno : 0;
        count += error == 0;
    }
    if (error != 0)
        explain(why, room, "it needs %d free file descriptors: %s", DESCRIPTORS, strerror(error));
    while (count > 0)
        close(descriptors[--count]);
    return error == 0;
}

int copy_load(struct copy *copy, char *why, size_t room)
{
    const char *const folders[] = {secure_getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"};
    void *library;

    why[0] = '\0';
    if (original.bytes == NULL) {
        explain(why, room, "its file could not be read: %s", strerror(original.error));
        return 0;
    }
    if (!same_library()) {
        explain(why, room, "its file was replaced while it was being loaded");
        return 0;
    }
    if (!descriptors_free(why, room) || !loader_usable(why, room))
        return 0;
    library = copy_in_memory(why, room);
    for (size_t i = 0; library == NULL && i < sizeof folders / sizeof folders[0]; i++)
        if (folders[i] != NULL && folders[i][0] != '\0')
            library = copy_in_folder(folders[i], why, room);
    if (library == NULL)
        return 0;
#define COPY_FIND(name) copy->name = (__typeof__(name) *)dlsym(library, #name);
    COPY_FUNCTIONS(COPY_FIND)
#undef COPY_FIND
    return 1;
}
