/* The module qjs:owner, which gives an open file to another user. */
#include <errno.h>
#include <unistd.h>
#include "modules.h"

/* give(file, uid) keeps the group. Returns 0 or minus errno. */
static JSValue give(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    int file, uid;
    if (JS_ToInt32(ctx, &file, argv[0]) || JS_ToInt32(ctx, &uid, argv[1]))
        return JS_EXCEPTION;
    return JS_NewInt32(ctx, fchown(file, (uid_t)uid, (gid_t)-1) ? -errno : 0);
}

static const JSCFunctionListEntry owner_functions[] = { JS_CFUNC_DEF("give", 2, give) };

static int export_owner(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, owner_functions, 1);
}

void add_owner(JSContext *ctx)
{
    JSModuleDef *module = JS_NewCModule(ctx, "qjs:owner", export_owner);
    if (module)
        JS_AddModuleExportList(ctx, module, owner_functions, 1);
}
