/* processes.c: the processes whose parent is php-sessions, among them all that have lost theirs. */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <sys/types.h>

struct children {
    int all;
    int servers; /* those that run PHP for visitors */
};

/* Makes php-sessions the parent of every process below it that loses its own, as PID 1 is of all. */
void adopt_orphans(void);

/* Counts the children that have not ended, without the watcher. */
struct children count_children(pid_t watcher);

/* Sends every child but the watcher a signal. */
void signal_children(pid_t watcher, int number);

/* Tells every child but the watcher once to end, and those again that have come since. */
void end_children(pid_t watcher);

/* Sends a signal to a process; SIGTERM in the form that lets php-fpm finish its requests. */
void send_signal(pid_t pid, int number);

#endif
