/*
 * The module qjs:supervise, which runs a command as a good init would, without polling.
 *
 * The command stays in the process group of php-sessions, so that a terminal's job control sees one job. A terminal
 * sends a signal to the whole group, and it must not arrive twice: such a signal comes from the kernel (SI_KERNEL) and
 * is not forwarded.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "modules.h"
#include "processes.h"
#include "words.h"

/* What is not held: faults, job control, what is ignored by default. Any other signal would leave files behind. */
static const int other_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGKILL, SIGSTOP,
    SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGURG };
static sigset_t held_signals, mask_before;
static int is_holding;
static char **arguments_end; /* the NULL after the command line */

/* Holds these signals until supervise() runs, so that no file is left behind. */
static JSValue hold_signals(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    size_t i;
    sigfillset(&held_signals);
    for (i = 0; i < sizeof(other_signals) / sizeof(*other_signals); i++)
        sigdelset(&held_signals, other_signals[i]);
    sigprocmask(SIG_BLOCK, &held_signals, &mask_before);
    is_holding = 1;
    return JS_UNDEFINED;
}

const sigset_t *mask_before_hold(void)
{
    return is_holding ? &mask_before : NULL;
}

/* Returns the pid, or minus errno if exec fails: then the child writes errno into a pipe that exec would close. */
static pid_t start(const char *file, char **command, const sigset_t *mask)
{
    int ends[2], error = 0;
    pid_t child;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, mask, NULL);
        execvp(file, command);
        error = errno;
        (void)!write(ends[1], &error, sizeof(error));
        _exit(127);
    }
    if (child < 0)
        error = errno;
    close(ends[1]);
    while (child > 0 && read(ends[0], &error, sizeof(error)) < 0 && errno == EINTR)
        ;
    close(ends[0]);
    if (child > 0 && error)
        waitpid(child, NULL, 0);
    return error ? -error : child;
}

/* The process beside the command. Only php-sessions ends it: what ends the command must not end it earlier. */
static char **watcher_command;
static pid_t watcher;

static void start_watcher(void)
{
    if (watcher_command)
        watcher = start("/proc/self/exe", watcher_command, &held_signals);
}

static void end_watcher(void)
{
    if (watcher > 0) {
        kill(watcher, SIGKILL);
        waitpid(watcher, NULL, 0);
    }
}

/* Whether the child has ended. Reaps every process that has, because PID 1 inherits all orphans. */
static int reap(pid_t child, int *status)
{
    int one, has_ended = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
        if (pid == child) {
            *status = one;
            has_ended = 1;
        } else if (pid == watcher) {
            watcher = 0;
        }
    return has_ended;
}

/* A terminal that hangs up sends SIGHUP only to the leader of the session. What php-sessions writes in vain is its own. */
static int is_for_command(int number, const siginfo_t *info)
{
    if (info->si_code == SI_KERNEL)
        return number == SIGHUP;
    return info->si_code != SI_USER || info->si_pid != getpid();
}

/* The function that looks at what runs, when it is due, and the pause after that. */
static JSContext *look_context;
static JSValue look;
static int is_looking;
static time_t look_due;
static int look_pause = 1;

static time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static void take_a_look(void)
{
    JSValue done = JS_Call(look_context, look, JS_UNDEFINED, 0, NULL);
    if (JS_IsException(done))
        done = JS_GetException(look_context);
    JS_FreeValue(look_context, done);
    look_pause = look_pause < 30 ? 2 * look_pause : 60;
    look_due = now() + look_pause;
}

/* Waits for a signal. Restarts a dead watcher after a second, so that one that always dies costs little. */
static int next_signal(siginfo_t *info)
{
    struct timespec pause = { 1, 0 };
    int number, is_watcher_dead = watcher_command && watcher <= 0;
    if (!is_watcher_dead && !is_looking)
        return sigwaitinfo(&held_signals, info);
    if (is_looking && now() >= look_due)
        take_a_look();
    if (!is_watcher_dead)
        pause.tv_sec = look_due - now();
    number = sigtimedwait(&held_signals, info, &pause);
    if (number < 0 && errno == EAGAIN && is_watcher_dead)
        start_watcher();
    return number;
}

/* Whether a signal means that php-sessions and all that it has started shall end. */
static int is_ending(int number)
{
    return number == SIGTERM || number == SIGINT || number == SIGQUIT;
}

/* Seconds that processes without PHP have to end once they were told to. A php-fpm may still finish its requests. */
#define PATIENCE 5

/*
 * Waits for what the command has left behind: processes become children of php-sessions when their parents end.
 *
 * A server with PHP still needs the files of php-sessions, so these stay for as long as it runs. Once php-sessions was
 * told to end, it tells everything that it has started to end, too.
 */
static void outlive_command(int was_told)
{
    static const char text[] =
        "php-sessions: the command has ended but left a PHP server in the background: waiting until it ends\n";
    static const struct timespec tick = { 0, 200000000 };
    time_t until = now() + PATIENCE;
    int has_said = was_told, number, status;
    siginfo_t info;
    for (;;) {
        struct children left = count_children(watcher);
        if (was_told ? !left.all : !left.servers)
            return;
        if (was_told)
            end_children(watcher);
        if (was_told && !left.servers && now() >= until)
            signal_children(watcher, SIGKILL);
        if (!has_said)
            (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
        has_said = 1;
        number = watcher_command && watcher <= 0 ? next_signal(&info) : sigtimedwait(&held_signals, &info, &tick);
        if (number == SIGCHLD) {
            reap(-1, &status);
        } else if (is_ending(number) && !was_told) {
            until = now() + PATIENCE;
            was_told = 1;
        } else if (number > 0 && is_for_command(number, &info)) {
            signal_children(watcher, number);
        }
    }
}

/*
 * supervise(count, look, ...watcher) runs the last `count` words of the command line, byte for byte, as a command until it
 * ends, and beside it this program with the words of `watcher` and `--command PID`, if there are any. Calls `look`, unless it is undefined.
 * Returns the status of the command as a shell does, or minus errno if it cannot be run.
 */
static JSValue supervise(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    int count, status = 0, number, was_told = 0;
    siginfo_t info;
    pid_t child;
    char **command, digits[16];
    const char *which[] = { "--command", digits };
    if (JS_ToInt32(ctx, &count, argv[0]))
        return JS_EXCEPTION;
    signal(SIGCHLD, SIG_DFL); /* if it were ignored there would be no status */
    command = arguments_end - count;
    adopt_orphans();
    child = start(command[0], command, &mask_before);
    if (child < 0)
        return JS_NewInt32(ctx, child);
    snprintf(digits, sizeof(digits), "%d", (int)child);
    watcher_command = copy_words(ctx, argc - 2, argv + 2, which);
    start_watcher();
    look_context = ctx;
    look = argv[1];
    is_looking = !JS_IsUndefined(look);
    look_due = now() + look_pause;
    do {
        number = next_signal(&info);
        if (number > 0 && number != SIGCHLD && is_for_command(number, &info))
            send_signal(child, number);
        was_told = was_told || is_ending(number);
    } while (number != SIGCHLD || !reap(child, &status));
    outlive_command(was_told);
    end_watcher();
    return JS_NewInt32(ctx, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static const JSCFunctionListEntry supervise_functions[] = {
    JS_CFUNC_DEF("holdSignals", 0, hold_signals),
    JS_CFUNC_DEF("supervise", 2, supervise),
};

static int export_supervise(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, supervise_functions, 2);
}

void add_supervise(JSContext *ctx, int argc, char **argv)
{
    JSModuleDef *module = JS_NewCModule(ctx, "qjs:supervise", export_supervise);
    arguments_end = argv + argc;
    if (module)
        JS_AddModuleExportList(ctx, module, supervise_functions, 2);
}
