/* fault.h - how a measurement that is worth nothing ends. */
#ifndef FAULT_H
#define FAULT_H

/* fault - say on the standard error what went wrong, and end the process with 1. Any thread may
 * call it. */
_Noreturn void fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* FAULT_H */
