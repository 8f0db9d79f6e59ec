/* Whether a file may become code of this process, asked before the loader is: it maps what it is given, and a file that was cut
 * off ends the process by SIGBUS. */
#ifndef JWTSHIM_LOADER_OBJECT_FILE_H
#define JWTSHIM_LOADER_OBJECT_FILE_H

enum object_file { OBJECT_FILE_FIT, OBJECT_FILE_MISSING, OBJECT_FILE_NOT_TRUSTED, OBJECT_FILE_NOT_WHOLE };

/* Not trusted is what somebody else than root and this very user could have put there: after a chroot a path may be anybody's. */
enum object_file object_file_check(const char *path);

#endif
