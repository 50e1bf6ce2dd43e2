/*
 * The module qjs:run, which runs a program to its end and feeds it while it reads what the program prints.
 *
 * Nothing waits for longer than the limit. A signal that asks php-sessions to end also ends the program, and is
 * reported, so that the caller can clean up. The program has a process group of its own, which ends with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "modules.h"
#include "words.h"

extern char **environ;

typedef struct Run {
    pid_t child;
    int input, output, signals;     /* -1 when closed */
    const uint8_t *text;            /* what is left of the program's stdin */
    size_t left;
    char *printed;
    size_t size, limit;
    int ended_by;                   /* a signal for php-sessions, or 0 */
} Run;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void close_end(int *end)
{
    if (*end >= 0)
        close(*end);
    *end = -1;
}

/* The signals that end php-sessions, unless somebody has blocked or ignored them. */
static sigset_t ending_signals(const sigset_t *blocked)
{
    static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
    sigset_t set;
    size_t i;
    sigemptyset(&set);
    for (i = 0; i < sizeof(ending) / sizeof(*ending); i++) {
        struct sigaction action;
        sigaction(ending[i], NULL, &action);
        if (action.sa_handler != SIG_IGN && !sigismember(blocked, ending[i]))
            sigaddset(&set, ending[i]);
    }
    return set;
}

static pid_t start_program(char **words, char **variables, int input, int output, int keeps_stderr, const sigset_t *mask)
{
    pid_t child = fork();
    if (child == 0) {
        int nothing = open("/dev/null", O_WRONLY);
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, mask, NULL);
        dup2(input, 0);
        dup2(output, 1);
        /* Its group is not the terminal's: without this, a terminal with `stty tostop` would stop it. */
        signal(SIGTTOU, SIG_IGN);
        if (!keeps_stderr)
            dup2(nothing, 2);
        environ = variables;
        execvp(words[0], words);
        _exit(127);
    }
    return child;
}

static void feed(Run *run)
{
    ssize_t count = write(run->input, run->text, run->left);
    if (count > 0) {
        run->text += count;
        run->left -= count;
    }
    /* A program need not read all of it. */
    if (run->left == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&run->input);
}

/* Returns whether there may be more to read now. */
static int drain(Run *run)
{
    ssize_t count = read(run->output, run->printed + run->size, run->limit - run->size);
    if (count > 0)
        run->size += count;
    else if (count == 0 || (errno != EAGAIN && errno != EINTR))
        close_end(&run->output);
    return count > 0 && run->size < run->limit;
}

static void note_signal(Run *run)
{
    struct signalfd_siginfo info;
    while (read(run->signals, &info, sizeof(info)) == sizeof(info))
        if (info.ssi_signo != SIGCHLD)
            run->ended_by = info.ssi_signo;
}

/* Whether the program has ended. It is not reaped yet, so that its group keeps its number. */
static int has_ended(pid_t child)
{
    siginfo_t info = { 0 };
    return waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == child;
}

/* Returns the status as a shell does: 137 if its time was up, or it has printed more than the limit. */
static int finish(Run *run, double deadline)
{
    int status = 0;
    while (!run->ended_by && run->size < run->limit && !has_ended(run->child)) {
        struct pollfd ends[] = { { run->input, POLLOUT, 0 }, { run->output, POLLIN, 0 }, { run->signals, POLLIN, 0 } };
        double left = deadline - now();
        if (left <= 0)
            break;
        if (poll(ends, 3, (int)(left * 1000) + 1) < 0)
            continue;
        if (ends[0].revents)
            feed(run);
        if (ends[1].revents)
            drain(run);
        if (ends[2].revents)
            note_signal(run);
    }
    while (run->output >= 0 && drain(run))
        ;
    kill(-run->child, SIGKILL);
    kill(run->child, SIGKILL);
    while (waitpid(run->child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* As much as a pipe may lack: files or processes are used up. */
static int open_ends(int input[2], int output[2])
{
    if (pipe2(input, O_CLOEXEC) < 0)
        return -errno;
    if (pipe2(output, O_CLOEXEC) < 0) {
        int error = -errno;
        close(input[0]);
        close(input[1]);
        return error;
    }
    fcntl(input[1], F_SETFL, O_NONBLOCK);
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    return 0;
}

/*
 * run(words, variables, input, seconds, limit, keepsStderr) returns [status, output]. The status is minus the number of the signal
 * that asks php-sessions to end, and `output` is null with minus errno where nothing could be started.
 */
static JSValue run_program(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    static const struct timespec at_once = { 0, 0 };
    Run run = { 0 };
    int input[2], output[2], status;
    sigset_t before, watched, pipe_signal;
    const sigset_t *original;
    double seconds;
    int64_t limit;
    char **words, **variables;
    JSValue result = JS_NewArray(ctx);
    run.text = JS_GetArrayBuffer(ctx, &run.left, argv[2]);
    if (JS_ToFloat64(ctx, &seconds, argv[3]) || JS_ToInt64(ctx, &limit, argv[4]))
        return JS_EXCEPTION;
    run.limit = (size_t)limit;
    run.printed = malloc(run.limit);
    status = run.printed ? open_ends(input, output) : -ENOMEM;
    if (status < 0)
        goto failed;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, NULL, &before);
    original = mask_before_hold() ? mask_before_hold() : &before;
    watched = ending_signals(original);
    sigaddset(&watched, SIGCHLD);
    signal(SIGCHLD, SIG_DFL); /* if it were ignored there would be no status */
    sigprocmask(SIG_BLOCK, &watched, NULL);
    sigprocmask(SIG_BLOCK, &pipe_signal, NULL);
    run.signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);

    /* Without it nobody would notice the end of the program, nor a signal for php-sessions. */
    status = run.signals < 0 ? -errno : 0;
    words = copy_list(ctx, argv[0]);
    variables = copy_list(ctx, argv[1]);
    run.child = words && variables && status == 0 ? start_program(words, variables, input[0], output[1], JS_ToBool(ctx, argv[5]), original) : -1;
    if (run.child < 0 && status == 0)
        status = -errno;
    free_list(words);
    free_list(variables);
    close(input[0]);
    close(output[1]);
    run.input = input[1];
    run.output = output[0];
    if (run.child > 0) {
        if (run.left == 0)
            close_end(&run.input);
        status = finish(&run, now() + seconds);
    }
    close_end(&run.input);
    close_end(&run.output);
    close_end(&run.signals);
    if (!sigismember(&before, SIGPIPE))
        while (sigtimedwait(&pipe_signal, NULL, &at_once) > 0)
            ;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (run.child > 0) {
        JS_SetPropertyUint32(ctx, result, 0, JS_NewInt32(ctx, run.ended_by ? -run.ended_by : status));
        JS_SetPropertyUint32(ctx, result, 1, JS_NewArrayBufferCopy(ctx, (uint8_t *)run.printed, run.size));
        free(run.printed);
        return result;
    }
failed:
    free(run.printed);
    JS_SetPropertyUint32(ctx, result, 0, JS_NewInt32(ctx, status));
    JS_SetPropertyUint32(ctx, result, 1, JS_NULL);
    return result;
}

static const JSCFunctionListEntry run_functions[] = { JS_CFUNC_DEF("run", 6, run_program) };

static int export_run(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, run_functions, 1);
}

void add_run(JSContext *ctx)
{
    JSModuleDef *module = JS_NewCModule(ctx, "qjs:run", export_run);
    if (module)
        JS_AddModuleExportList(ctx, module, run_functions, 1);
}
