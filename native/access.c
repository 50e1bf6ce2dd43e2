/* The module qjs:access, which says who may use an open file; and what happens at the limit of its size. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include "modules.h"

/* set(file, mode, gid) sets the mode whatever the umask says, and the group unless gid is -1. Returns 0 or minus errno. */
static JSValue set(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    int file, mode, gid;
    if (JS_ToInt32(ctx, &file, argv[0]) || JS_ToInt32(ctx, &mode, argv[1]) || JS_ToInt32(ctx, &gid, argv[2]))
        return JS_EXCEPTION;
    /* The group first: until then, nobody has it. */
    if ((gid != -1 && fchown(file, (uid_t)-1, (gid_t)gid)) || fchmod(file, (mode_t)mode))
        return JS_NewInt32(ctx, -errno);
    return JS_NewInt32(ctx, 0);
}

static const JSCFunctionListEntry access_functions[] = { JS_CFUNC_DEF("set", 3, set) };

static int export_access(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, access_functions, 1);
}

/* A write above RLIMIT_FSIZE shall fail, and not end php-sessions before it has removed what it began to write. */
static void outlive_file_size_limit(int number)
{
    (void)number;
}

void add_access(JSContext *ctx)
{
    JSModuleDef *module = JS_NewCModule(ctx, "qjs:access", export_access);
    /* The programs that it starts have no handlers: they begin with the default. */
    if (signal(SIGXFSZ, outlive_file_size_limit) == SIG_IGN)
        signal(SIGXFSZ, SIG_IGN);
    if (module)
        JS_AddModuleExportList(ctx, module, access_functions, 1);
}
