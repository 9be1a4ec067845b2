/* process.h - what the process has used: time and memory. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stddef.h>
#include <stdint.h>

/* process_clock - nanoseconds of the monotonic clock. */
uint64_t process_clock(void);

/* process_cpu_us - microseconds that all threads have spent on a processor, in user and system. */
uint64_t process_cpu_us(void);

/* process_resident_kib, process_peak_kib - the memory in use now, and the most that was ever. The
 * peak is VmHWM, for ru_maxrss begins with that of the process before exec(). */
uint64_t process_resident_kib(void);
uint64_t process_peak_kib(void);

/* process_room - at least one item of size bytes; never NULL. The caller frees it. */
void *process_room(size_t count, size_t size);

#endif /* PROCESS_H */
