/*
 * The module qjs:supervise: runs a command as a good init would, without polling.
 *
 * The command stays in our process group, so that a terminal's job control sees one job. What the terminal sends goes
 * to the whole group and must not arrive twice: such a signal comes from the kernel (SI_KERNEL) and is not forwarded.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "quickjs.h"

static const int forwarded_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH };
static sigset_t held_signals, mask_before;
static char **last_argument; /* the NULL behind the command line */

/* From now on these wait for supervise(): nothing that we have written is left behind. */
static JSValue hold_signals(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    size_t i;
    sigemptyset(&held_signals);
    sigaddset(&held_signals, SIGCHLD);
    for (i = 0; i < sizeof(forwarded_signals) / sizeof(*forwarded_signals); i++)
        sigaddset(&held_signals, forwarded_signals[i]);
    sigprocmask(SIG_BLOCK, &held_signals, &mask_before);
    return JS_UNDEFINED;
}

/* Gives the pid, or minus errno when there is no such program: a pipe that exec closes tells which. */
static pid_t start(char **command)
{
    int ends[2], error = 0;
    pid_t child;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &mask_before, NULL);
        execvp(command[0], command);
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

/* Whether the child has ended; reaps all who have, since PID 1 inherits every orphan. */
static int reap(pid_t child, int *status)
{
    int one, has_ended = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
        if (pid == child) {
            *status = one;
            has_ended = 1;
        }
    return has_ended;
}

/*
 * supervise(count): runs the last so many words of our command line, as the bytes that they are, until they end.
 * Gives the status as a shell counts it, or minus errno when they cannot be run.
 */
static JSValue supervise(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    int count, status = 0, number;
    siginfo_t info;
    pid_t child;
    if (JS_ToInt32(ctx, &count, argv[0]))
        return JS_EXCEPTION;
    signal(SIGCHLD, SIG_DFL); /* where it was ignored there would be no status */
    child = start(last_argument - count);
    if (child < 0)
        return JS_NewInt32(ctx, child);
    do {
        number = sigwaitinfo(&held_signals, &info);
        /* A terminal that hangs up tells the leader of the session alone. */
        if (number > 0 && number != SIGCHLD && (info.si_code != SI_KERNEL || number == SIGHUP))
            kill(child, number);
    } while (number != SIGCHLD || !reap(child, &status));
    return JS_NewInt32(ctx, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static const JSCFunctionListEntry supervise_functions[] = {
    JS_CFUNC_DEF("holdSignals", 0, hold_signals),
    JS_CFUNC_DEF("supervise", 1, supervise),
};

static int export_supervise(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, supervise_functions, 2);
}

static void add_supervise(JSContext *ctx, int argc, char **argv)
{
    JSModuleDef *module = JS_NewCModule(ctx, "qjs:supervise", export_supervise);
    last_argument = argv + argc;
    if (module)
        JS_AddModuleExportList(ctx, module, supervise_functions, 2);
}
