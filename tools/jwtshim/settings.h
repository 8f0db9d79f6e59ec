/* The settings as a preloaded program would have them: /etc/jwtshim.conf, and the environment over it. */
#ifndef JWTSHIM_TOOLS_SETTINGS_H
#define JWTSHIM_TOOLS_SETTINGS_H

#include "../../shim/config.h"

/* Reads the file below `root` ("" for /), and over it the environment of `len` bytes, as in /proc/PID/environ; `secure` as for
 * a setuid program. What is wrong with a setting goes to `complain`, and the default stands, as in the shim. */
void settings_read(struct config *config, const char *root, const char *environment, size_t len, bool secure,
                   config_complaint *complain);

/* The file alone, as settings_read() reads it. Whether it is there. */
#define SETTINGS_PATH "/etc/jwtshim.conf"
bool settings_read_file(struct config *config, const char *root, bool secure, config_complaint *complain);

/* A complaint of this process's settings on standard error; and what is for the log of the program that is looked at, nowhere. */
config_complaint settings_complain, settings_keep_quiet;

/* This process's environment as settings_read() wants it, for the caller to free(); NULL without memory. */
char *settings_own_environment(size_t *len);

#endif
