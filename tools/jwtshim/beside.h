/* Files that were installed or built along with this command. */
#ifndef JWTSHIM_TOOLS_BESIDE_H
#define JWTSHIM_TOOLS_BESIDE_H

/* The first that exists of `places` (relative to the directory of this command's executable, ended by NULL), as an absolute
 * path without links, to be freed; or NULL. */
char *beside_us(const char *const *places);

/* The shim's object, built or installed with this command, of this command's own architecture. To be freed; or NULL. */
char *beside_us_object(void);

#endif
