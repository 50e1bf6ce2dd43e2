/** Something is wrong with the binding, the settings or PHP. */
export const FAILED = 1
/** The command line was wrong. */
export const WRONG_USAGE = 2
/** A fault in php-sessions itself; EX_SOFTWARE of sysexits.h. */
export const INTERNAL_FAULT = 70
/** Cloud Native Buildpacks: this buildpack is not for the app, and nothing is wrong. */
export const DETECT_FAILED = 100
/** As in shells: the program exists but cannot be run. */
export const NOT_EXECUTABLE = 126
/** As in shells: there is no such program. */
export const NOT_FOUND = 127
/** As in shells: ended by SIGKILL, with which `Host.run` ends programs that take too long. */
export const KILLED = 137
/** As in shells: ended by SIGSEGV. */
export const CRASHED = 139
