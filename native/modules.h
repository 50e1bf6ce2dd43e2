/* What main.c takes from the other files. */
#include "quickjs.h"

/* pool.c: memory for the runtime. */
extern const JSMallocFunctions pool_functions;

/* owner.c: the module qjs:owner. */
void add_owner(JSContext *ctx);

/* supervise.c: the module qjs:supervise; argc and argv are those of the whole program. */
void add_supervise(JSContext *ctx, int argc, char **argv);
