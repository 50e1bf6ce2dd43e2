/* The processes whose parent is php-sessions. They are looked up in /proc, by names that they may choose themselves. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "processes.h"

void adopt_orphans(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Reads the begin of a file of a process; gives the number of bytes, with a zero after them. */
static size_t read_begin(pid_t pid, const char *name, char *begin, size_t size)
{
    char path[32];
    size_t count;
    FILE *file;
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    file = fopen(path, "r");
    if (!file)
        return *begin = 0;
    count = fread(begin, 1, size - 1, file);
    fclose(file);
    begin[count] = 0;
    return count;
}

/* Whether a process is our child and has not ended; `name` gets the begin of the name of its program. */
static int is_child(pid_t pid, char name[16])
{
    char stat[128], state, *begin, *end;
    int parent;
    read_begin(pid, "stat", stat, sizeof(stat));
    begin = strchr(stat, '(');
    end = strrchr(stat, ')'); /* a name may have parentheses */
    if (!begin || !end || sscanf(end + 1, " %c %d", &state, &parent) != 2)
        return 0;
    snprintf(name, 16, "%.*s", (int)(end - begin - 1), begin + 1);
    return parent == (int)getpid() && state != 'Z';
}

static int is_server(const char *name)
{
    static const char *const servers[] = { "php-fpm", "php-cgi", "apache2", "httpd", "frankenphp", "unitd", "lsphp" };
    size_t i;
    for (i = 0; i < sizeof(servers) / sizeof(*servers); i++)
        if (strncmp(name, servers[i], strlen(servers[i])) == 0)
            return 1;
    return 0;
}

/* Whether /proc has our numbers: in a new namespace of processes it may still be that of another one. */
static int is_our_proc(void)
{
    char self[16];
    ssize_t length = readlink("/proc/self", self, sizeof(self) - 1);
    self[length > 0 ? length : 0] = 0;
    return atoi(self) == (int)getpid();
}

/* Calls `visit` for every child but the watcher. */
static void visit_children(pid_t watcher, void (*visit)(pid_t, const char *name, void *), void *data)
{
    char name[16];
    struct dirent *entry;
    DIR *processes = is_our_proc() ? opendir("/proc") : NULL;
    while (processes && (entry = readdir(processes))) {
        pid_t pid = atoi(entry->d_name);
        if (pid > 0 && pid != watcher && is_child(pid, name))
            visit(pid, name, data);
    }
    if (processes)
        closedir(processes);
}

static void count(pid_t pid, const char *name, void *data)
{
    struct children *children = data;
    (void)pid;
    children->all++;
    children->servers += is_server(name);
}

struct children count_children(pid_t watcher)
{
    struct children children = { 0, 0 };
    visit_children(watcher, count, &children);
    return children;
}

static void signal_one(pid_t pid, const char *name, void *number)
{
    (void)name;
    send_signal(pid, *(int *)number);
}

void signal_children(pid_t watcher, int number)
{
    visit_children(watcher, signal_one, &number);
}

static void end_one(pid_t pid, const char *name, void *data)
{
    static pid_t told[64];
    static size_t next;
    size_t i;
    (void)name;
    (void)data;
    for (i = 0; i < sizeof(told) / sizeof(*told); i++)
        if (told[i] == pid)
            return;
    told[next++ % (sizeof(told) / sizeof(*told))] = pid;
    send_signal(pid, SIGTERM);
}

void end_children(pid_t watcher)
{
    visit_children(watcher, end_one, NULL);
}

/* Whether a process, with all of its user numbers, is of the user of php-sessions. */
static int is_of_our_user(pid_t pid)
{
    char status[512], *users;
    unsigned users_of[4];
    int i;
    read_begin(pid, "status", status, sizeof(status));
    users = strstr(status, "\nUid:");
    if (!users || sscanf(users + 5, "%u %u %u %u", users_of, users_of + 1, users_of + 2, users_of + 3) != 4)
        return 0;
    for (i = 0; i < 4; i++)
        if (users_of[i] != geteuid())
            return 0;
    return 1;
}

/*
 * Recognises php-fpm's master by the title that it gives itself. The title is in its memory, and reading that of
 * another user's process might never end: there the name of the program must do.
 */
static int is_php_fpm(pid_t pid)
{
    static const char title[] = "php-fpm: master process", name[] = "php-fpm";
    char begin[sizeof(title)];
    int is_ours = is_of_our_user(pid);
    read_begin(pid, is_ours ? "cmdline" : "comm", begin, sizeof(begin));
    return is_ours ? strcmp(begin, title) == 0 : strncmp(begin, name, strlen(name)) == 0;
}

/* SIGTERM ends php-fpm at once; SIGQUIT lets it finish its requests, which is what a platform means by SIGTERM. */
void send_signal(pid_t pid, int number)
{
    kill(pid, number == SIGTERM && is_php_fpm(pid) ? SIGQUIT : number);
}
