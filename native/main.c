/* The executable: a QuickJS context with the parts that the bundle needs, and the bundle as bytecode. */
#include "bytecode.h"
#include "modules.h"
#include "quickjs-libc.h"

JSModuleDef *js_init_module_std(JSContext *ctx, const char *name);
JSModuleDef *js_init_module_os(JSContext *ctx, const char *name);

int main(int argc, char **argv)
{
    JSRuntime *rt = JS_NewRuntime2(&pool_functions, NULL);
    JSContext *ctx = rt ? JS_NewContextRaw(rt) : NULL;
    if (!ctx)
        return 70;
    /* Most runs use less than a megabyte: collecting garbage would only cost time. */
    JS_SetGCThreshold(rt, 4 << 20);
    js_std_init_handlers(rt);
    /* Without JS_AddIntrinsicEval the linker leaves out the compiler, and no text can become code. */
    JS_AddIntrinsicBaseObjects(ctx);
    JS_AddIntrinsicDate(ctx);
    JS_AddIntrinsicRegExp(ctx);
    JS_AddIntrinsicJSON(ctx);
    JS_AddIntrinsicMapSet(ctx);
    JS_AddIntrinsicTypedArrays(ctx);
    JS_AddIntrinsicPromise(ctx);
    js_init_module_std(ctx, "qjs:std");
    js_init_module_os(ctx, "qjs:os");
    add_supervise(ctx, argc, argv);
    add_access(ctx);
    add_files(ctx);
    add_run(ctx);
    js_std_add_helpers(ctx, argc, argv);
    js_std_eval_binary(ctx, bytecode, bytecode_size, 0); /* ends in std.exit() */
    return 70;
}
