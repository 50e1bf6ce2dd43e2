/* What main.c needs from the other files. */
#ifndef MODULES_H
#define MODULES_H

#include <signal.h>
#include "quickjs.h"

/* pool.c: the runtime's memory. */
extern const JSMallocFunctions pool_functions;

/* access.c: the module qjs:access. */
void add_access(JSContext *ctx);

/* files.c: the module qjs:files. */
void add_files(JSContext *ctx);

/* directories.c: a function of the module qjs:files. */
JSValue read_all(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv);

/* find.c: a function of the module qjs:files. */
JSValue find_files(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv);

/* run.c: the module qjs:run. */
void add_run(JSContext *ctx);

/* supervise.c: the signals that were blocked before holdSignals(); NULL if that was not called. */
const sigset_t *mask_before_hold(void);

/* supervise.c: the module qjs:supervise; argc and argv are those of main(). */
void add_supervise(JSContext *ctx, int argc, char **argv);

#endif
