#include "wide.h"

#ifdef WIDE

#if defined(__x86_64__)
#include <cpuid.h>

/* The compiler's own way of asking does so at every exec, and a CPUID is dear in a virtual machine. The system must save the
 * wide registers as well. */
static bool ask_processor(void)
{
    unsigned a, b, c, d;
    const unsigned os_saves_registers = 1u << 27;
    const unsigned registers = 6; /* XCR0: the low and the high halves */
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & os_saves_registers))
        return false;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & registers) == registers && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2) && (b & bit_BMI);
}
#else
static bool ask_processor(void)
{
    return true;
}
#endif

_Atomic(signed char) wide_answer;

bool wide_ask(void)
{
    bool there = ask_processor();
    atomic_store_explicit(&wide_answer, there ? 1 : -1, memory_order_relaxed);
    return there;
}

#endif
