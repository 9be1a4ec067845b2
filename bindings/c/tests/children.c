/* See children.h. */
#include "children.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "live.h"

pid_t start_child(void (*act)(void *), void *argument)
{
    const pid_t child = fork();

    if (child == 0) {
        act(argument);
        _exit(check_failed());
    }
    return child;
}

int status_of(pid_t child)
{
    const double patience = seconds() + 60;
    int status = 0;

    if (child < 0)
        return -1;
    while (seconds() < patience) {
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        nap(2);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -1;
}
