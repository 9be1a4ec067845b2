/* The copy of the library that a forked child loads: where its file comes from, and what is said
 * where there is none. */
#define _GNU_SOURCE /* _Fork(), dl_iterate_phdr() */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "children.h"
#include "live.h"

enum { FOO_SLOT = 12182, NOBODY = 65534, DESCRIPTORS = 1024, PATH = 512 };

static int32_t foo_slot(void)
{
    return glide_key_slot((const uint8_t *)"foo", 3);
}

/* read_anew - read through a client of this process's own. */
static void read_anew(void)
{
    glide_client client = open_cluster();
    answer given = run(client, "PING", NO_ROUTE);

    CHECK_TEXT(given.view.value.text, "PONG");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* check_refused - that opening is refused, since there is no copy, with a reason. */
static void check_refused(const char *reason)
{
    const request_connection connection = {.request_timeout_ms = 5000};
    glide_client client = 1;
    answer given = open_with(connection, "GLIDE_TEST_CLUSTER", &client);
    glide_buffer schema = {NULL, 1};

    CHECK_INT(given.status, GLIDE_ERR_FORKED);
    CHECK_INT(client, 0);
    CHECK_HAS(given.view.error.message, "cannot load its copy of the library");
    CHECK_HAS(given.view.error.message, reason);
    drop(&given);
    CHECK_INT(foo_slot(), -1);
    CHECK_INT(glide_schema(&schema), GLIDE_ERR_FORKED);
    CHECK(schema.data == NULL && schema.len == 0);
}

/* close_all - what a daemon does with the descriptors that it was given. */
static void close_all(void)
{
    for (int fd = 3; fd < DESCRIPTORS; fd++)
        close(fd);
}

/* make_folder - an empty one, where temporary ones are. */
static bool make_folder(char folder[PATH])
{
    const char *const place = getenv("TMPDIR");

    snprintf(folder, PATH, "%s/glide-tests-XXXXXX", place != NULL ? place : P_tmpdir);
    return CHECK(mkdtemp(folder) != NULL);
}

/* apply - have the kernel refuse what the rules say, to this process and its children. */
static void apply(struct sock_filter *rules, unsigned short count)
{
    const struct sock_fprog filter = {count, rules};

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

/* refuse_memory - have the kernel refuse memfd_create(), as a sandbox does. */
static void refuse_memory(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1 /* EPERM */),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };

    apply(rules, sizeof rules / sizeof rules[0]);
}

/* refuse_wiping - have the kernel not empty memory in children, as before Linux 4.14. */
static void refuse_wiping(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MADV_WIPEONFORK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 22 /* EINVAL */),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };

    apply(rules, sizeof rules / sizeof rules[0]);
}

enum { COPIES = 4 };

/* The files that a process has mapped to run code from them, whose paths contain a text. */
typedef struct mappings {
    unsigned long inodes[COPIES];
    int count;
} mappings;

static mappings mapped(const char *text)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    mappings found = {.count = 0};
    char line[PATH];

    CHECK(maps != NULL);
    if (maps == NULL)
        return found;
    while (found.count < COPIES && fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, " r-xp ") != NULL && strstr(line, text) != NULL)
            sscanf(line, "%*s %*s %*s %*s %lu", &found.inodes[found.count++]);
    fclose(maps);
    return found;
}

static bool shared(mappings one, mappings other)
{
    for (int i = 0; i < one.count; i++)
        for (int j = 0; j < other.count; j++)
            if (one.inodes[i] == other.inodes[j])
                return true;
    return false;
}

/* ---- memfd --------------------------------------------------------------------------------- */

static void tell_copies(void *pipe_end)
{
    mappings found = {.count = 0};

    if (CHECK_INT(foo_slot(), FOO_SLOT))
        found = mapped("/memfd:libglide");
    CHECK(write(*(int *)pipe_end, &found, sizeof found) == sizeof found);
}

static void tell_and_fork(void *pipe_end)
{
    tell_copies(pipe_end);
    CHECK_CHILD(tell_copies, pipe_end);
}

TEST(the_children_of_one_parent_share_one_copy_and_each_generation_adds_one)
{
    mappings found[4]; /* of a child and its child, twice */
    int ends[2];

    if (!CHECK(pipe(ends) == 0))
        return;
    for (int i = 0; i < 2; i++)
        CHECK_CHILD(tell_and_fork, &ends[1]);
    CHECK(read(ends[0], found, sizeof found) == sizeof found);
    for (int i = 0; i < 4; i++)
        CHECK_INT(found[i].count, 1 + i % 2);
    CHECK(shared(found[0], found[2]));
    CHECK(shared(found[0], found[1]));
    CHECK(found[1].inodes[0] != found[1].inodes[1]);
    close(ends[0]);
    close(ends[1]);
}

/* open_files - how many descriptors of this process are of the file of a copy; each must be closed
 * where another program is started. */
static int open_files(void)
{
    char path[32], target[PATH];
    int count = 0;

    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        ssize_t len;

        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        len = readlink(path, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        if (strstr(target, "libglide") == NULL)
            continue;
        CHECK(fd > STDERR_FILENO);
        CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
        count++;
    }
    return count;
}

static void count_files(void *expected)
{
    CHECK_INT(open_files(), *(int *)expected);
    CHECK_INT(foo_slot(), FOO_SLOT);
    CHECK_INT(open_files(), 0);
}

TEST(a_parent_keeps_one_descriptor_however_often_it_forks_and_a_child_that_loaded_none)
{
    int one = 1;

    for (int i = 0; i < 5; i++)
        CHECK_CHILD(count_files, &one);
    CHECK_INT(open_files(), 1);
}

static void close_and_read(void *program)
{
    close_all();
    if (program != NULL)
        CHECK(open(program, O_RDONLY) == 3); /* a number that the library may have had */
    read_anew();
    CHECK_INT(mapped("/memfd:libglide").count, 1);
    if (program != NULL)
        CHECK(fcntl(3, F_GETFD) == 0);
}

TEST(a_child_may_close_all_descriptors_and_open_others)
{
    char program[] = "/proc/self/exe";

    CHECK_CHILD(close_and_read, NULL);
    CHECK_CHILD(close_and_read, program);
}

/* It cannot print what it finds. */
static void close_standard_streams(void *nothing)
{
    CHECK_INT(foo_slot(), FOO_SLOT); /* this child's own copy is the next to fork */
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        close(fd);
    CHECK_CHILD(count_files, &(int){1});
    (void)nothing;
}

TEST(the_descriptor_is_never_that_of_a_standard_stream)
{
    CHECK_CHILD(close_standard_streams, NULL);
}

static void give_up_rights(void *nothing)
{
    const unsigned int own = geteuid() == 0 ? NOBODY : geteuid();

    CHECK(setresuid(own, own, own) == 0);
    read_anew();
    CHECK_INT(mapped("/memfd:libglide").count, 1);
    (void)nothing;
}

TEST(a_child_may_give_up_its_rights)
{
    CHECK_CHILD(give_up_rights, NULL);
}

/* ---- A temporary file ---------------------------------------------------------------------- */

static int entries(const char *folder)
{
    DIR *list = opendir(folder);
    int count = -2; /* . and .. */

    CHECK(list != NULL);
    if (list == NULL)
        return -1;
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

static void read_without_memory(void *folder)
{
    close_all();
    refuse_memory();
    setenv("TMPDIR", folder, 1);
    read_anew();
    CHECK(mapped(folder).count > 0);
    CHECK_INT(mapped("/memfd:libglide").count, 0);
    CHECK_INT(entries(folder), 0);
    CHECK_INT(open_files(), 0);
}

static void read_in_generations(void *folder)
{
    read_without_memory(folder);
    CHECK_CHILD(read_without_memory, folder);
}

TEST(a_temporary_file_serves_where_memfd_is_refused)
{
    char folder[PATH];

    if (!make_folder(folder))
        return;
    CHECK_CHILD(read_in_generations, folder);
    CHECK(rmdir(folder) == 0);
}

static void read_without_a_folder(void *nothing)
{
    close_all();
    refuse_memory();
    setenv("TMPDIR", "/nowhere", 1);
    read_anew();
    (void)nothing;
}

TEST(another_folder_serves_where_the_first_does_not)
{
    CHECK_CHILD(read_without_a_folder, NULL);
}

/* ---- No file ------------------------------------------------------------------------------- */

static void read_without_a_file(void *nothing)
{
    struct rlimit limit;

    close_all();
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, limit.rlim_max}) == 0);
    for (int i = 0; i < 2; i++)
        check_refused("File too large");
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    read_anew();
    (void)nothing;
}

TEST(a_child_that_can_write_nothing_is_told_why_and_may_try_again)
{
    CHECK_CHILD(read_without_a_file, NULL);
}

static void read_without_descriptors(void *nothing)
{
    struct rlimit limit;
    int next = dup(STDOUT_FILENO);

    close(next);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (rlim_t few = 0; few < 8; few++) {
        CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next + few, limit.rlim_max}) == 0);
        check_refused("Too many open files");
    }
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    read_anew();
    (void)nothing;
}

TEST(a_child_with_few_free_descriptors_is_told_so_and_may_try_again)
{
    CHECK_CHILD(read_without_descriptors, NULL);
}

/* ---- The library's own file ---------------------------------------------------------------- */

/* duplicate - the file of this process's library, to a place of its own. */
static void duplicate(const char *path)
{
    Dl_info library;
    struct stat file;
    int from = -1, to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

    if (CHECK(dladdr((void *)(uintptr_t)glide_version, &library) != 0))
        from = open(library.dli_fname, O_RDONLY | O_CLOEXEC);
    CHECK(fstat(from, &file) == 0);
    CHECK(sendfile(to, from, NULL, (size_t)file.st_size) == file.st_size);
    close(from);
    close(to);
}

typedef int32_t slot_function(const uint8_t *key, size_t len);

static void ask_slot(void *function)
{
    CHECK_INT((*(slot_function **)function)((const uint8_t *)"foo", 3), FOO_SLOT);
}

/* load_and_replace - load a library from a folder, replace its file, and use it in a child. */
static void load_and_replace(void *folder)
{
    slot_function *slot = NULL;
    void *library;
    int file;

    if (!CHECK(chdir(folder) == 0))
        return;
    duplicate("libglide.so.1");
    library = dlopen("./libglide.so.1", RTLD_NOW | RTLD_LOCAL);
    if (CHECK(library != NULL))
        *(void **)&slot = dlsym(library, "glide_key_slot");
    if (!CHECK(slot != NULL))
        return;
    CHECK_INT(slot((const uint8_t *)"foo", 3), FOO_SLOT);
    file = open("other", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    CHECK(write(file, "another file", 12) == 12);
    close(file);
    CHECK(rename("other", "libglide.so.1") == 0);
    CHECK_CHILD(ask_slot, &slot);
    CHECK(unlink("libglide.so.1") == 0 && chdir("/") == 0);
    CHECK_CHILD(ask_slot, &slot);
    CHECK_INT(foo_slot(), FOO_SLOT); /* of the other library, loaded by this child of the tests */
    CHECK_CHILD(ask_slot, &slot);
}

TEST(the_file_of_the_library_may_be_replaced_or_removed_after_it_was_loaded)
{
    char folder[PATH];

    if (!make_folder(folder))
        return;
    CHECK_CHILD(load_and_replace, folder);
    CHECK(rmdir(folder) == 0);
}

/* ---- The loader ---------------------------------------------------------------------------- */

static int ends[2]; /* of a pipe, for one who holds the list of the loader */

static int hold(struct dl_phdr_info *info, size_t size, void *nothing)
{
    char byte;

    (void)info, (void)size, (void)nothing;
    CHECK(read(ends[0], &byte, 1) == 1);
    return 1;
}

static void *hold_list(void *nothing)
{
    dl_iterate_phdr(hold, NULL);
    return nothing;
}

static void read_without_list(void *nothing)
{
    const double started = seconds();

    check_refused("dl_iterate_phdr");
    CHECK(seconds() - started < 40); /* three calls, of which the first waits 5 s */
    (void)nothing;
}

TEST(a_child_is_not_kept_waiting_by_a_lock_of_the_loader_that_nobody_frees)
{
    pthread_t holder;
    pid_t child;

    if (!CHECK(pipe(ends) == 0) || !CHECK(pthread_create(&holder, NULL, hold_list, NULL) == 0))
        return;
    nap(100);
    child = start_child(read_without_list, NULL);
    CHECK(write(ends[1], "", 1) == 1);
    pthread_join(holder, NULL);
    CHECK_INT(status_of(child), 0);
    close(ends[0]);
    close(ends[1]);
}

static void read_with_broken_loader(void *nothing)
{
    check_refused("another thread was loading a library when this process was forked");
    (void)nothing;
}

TEST(a_child_that_was_forked_while_a_thread_loaded_a_library_is_told_so)
{
    struct r_debug *loader = NULL;
    pid_t child;

    for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_DEBUG)
            loader = (struct r_debug *)entry->d_un.d_ptr;
    CHECK(loader != NULL);
    if (loader == NULL)
        return;
    loader->r_state = RT_ADD; /* as a thread inside dlopen() leaves it to a child */
    child = start_child(read_with_broken_loader, NULL);
    loader->r_state = RT_CONSISTENT;
    CHECK_INT(status_of(child), 0);
}

/* ---- Forks that nobody is told of ---------------------------------------------------------- */

/* fork_silently - a child that no handler knows of is told of the fork, and opens clients. */
static void fork_silently(void *nothing)
{
    glide_client client = open_cluster();
    answer given;
    const pid_t child = _Fork();

    (void)nothing;
    if (child == 0) {
        given = run(client, "PING", NO_ROUTE);
        CHECK_INT(given.status, GLIDE_ERR_FORKED);
        drop(&given);
        CHECK_INT(glide_client_close(client), GLIDE_OK);
        read_anew();
        _exit(check_failed());
    }
    CHECK_INT(status_of(child), 0);
    given = run(client, "PING", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_fork_without_handlers_is_noticed_by_the_first_call)
{
    fork_silently(NULL);
}

/* The child's copy of the library is loaded under the filter, which the library itself was not. */
static void fork_silently_unwiped(void *nothing)
{
    refuse_wiping();
    fork_silently(nothing);
}

TEST(so_it_is_on_a_kernel_that_empties_no_memory_in_children)
{
    CHECK_CHILD(fork_silently_unwiped, NULL);
}
