/* The settings as a preloaded program would have them: /etc/jwtshim.conf, and the environment over it. */
#ifndef JWTSHIM_TOOLS_SETTINGS_H
#define JWTSHIM_TOOLS_SETTINGS_H

#include "../../shim/config.h"

/* Reads them; what is wrong with one is said on standard error, and the default stands, as in the shim. */
void settings_read(struct config *config);

#endif
