/* What every process writes at its start lies together, so that it takes one page of its own for it instead of one for each
 * room: .data holds nothing else, and the settings come right behind. */
#ifndef JWTSHIM_EARLY_H
#define JWTSHIM_EARLY_H

#define EARLY __attribute__((section(".data")))

#endif
