/* The beginnings of functions: what may be moved, what it becomes, and what is refused. Moved code is run where that says more. */
#include "unit.h"

#include "../../shim/patch/prologue.h"

#include <sys/mman.h>

enum { AT = 0x401000, TO = 0x3f0000 };
static unsigned char moved_bytes[PROLOGUE_MOVED_MAX];
static struct prologue moved;

static enum patch_refusal move_bytes(const unsigned char *code, size_t size, uint64_t at, uint64_t to_at)
{
    memset(moved_bytes, 0xcc, sizeof moved_bytes);
    return prologue_move(code, size, at, moved_bytes, to_at, &moved);
}

#define CODE(...) ((const unsigned char[]){__VA_ARGS__})
#define MOVE(...) move_bytes(CODE(__VA_ARGS__), sizeof CODE(__VA_ARGS__), AT, TO)
#define PUSHES 0x55, 0x48, 0x89, 0xe5, 0x41, 0x56                 /* push rbp; mov rbp, rsp; push r14 */
#define TAIL 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3 /* what stays */

static int32_t distance_at(size_t offset)
{
    int32_t distance;
    memcpy(&distance, moved_bytes + offset, sizeof distance);
    return distance;
}

/* Where a jump or call whose four bytes of distance are at `offset` of what was moved leads, as an offset in the function. */
static int64_t leads_to(size_t offset)
{
    return (int64_t)TO + (int64_t)offset + 4 + distance_at(offset) - AT;
}

static void whole_instructions_are_moved_and_a_jump_leads_back(void **state)
{
    (void)state;
    assert_int_equal(MOVE(PUSHES, TAIL), PATCH_NONE);
    assert_int_equal(moved.head, 0);
    assert_int_equal(moved.end, 6);
    assert_int_equal(moved.emitted, 6 + PROLOGUE_JUMP);
    assert_memory_equal(moved_bytes, CODE(PUSHES), 6);
    assert_int_equal(moved_bytes[6], 0xe9);
    assert_int_equal(leads_to(7), 6);
}

static void an_endbr64_stays_at_the_head(void **state)
{
    (void)state;
    assert_int_equal(MOVE(0xf3, 0x0f, 0x1e, 0xfa, PUSHES, TAIL), PATCH_NONE);
    assert_int_equal(moved.head, 4);
    assert_int_equal(moved.end, 10);
    assert_memory_equal(moved_bytes, CODE(PUSHES), 6);
    assert_int_equal(leads_to(7), 10);
}

static void an_endbr64_further_in_is_refused(void **state)
{
    (void)state;
    assert_int_equal(MOVE(0x90, 0xf3, 0x0f, 0x1e, 0xfa, TAIL), PATCH_LEAVES);
}

static void a_short_conditional_jump_becomes_a_near_one_to_the_same_place(void **state)
{
    (void)state;
    /* test rdi, rdi; je +6 */
    assert_int_equal(MOVE(0x48, 0x85, 0xff, 0x74, 0x06, TAIL), PATCH_NONE);
    assert_int_equal(moved.end, 5);
    assert_memory_equal(moved_bytes + 3, CODE(0x0f, 0x84), 2);
    assert_int_equal(leads_to(5), 11);
    assert_int_equal(moved_bytes[9], 0xe9);
    assert_int_equal(leads_to(10), 5);
}

static void a_near_conditional_jump_leads_where_it_led(void **state)
{
    (void)state;
    /* xor eax, eax; test edx, edx; jle far behind the function */
    assert_int_equal(MOVE(0x31, 0xc0, 0x85, 0xd2, 0x0f, 0x8e, 0x00, 0x01, 0x00, 0x00, TAIL), PATCH_NONE);
    assert_memory_equal(moved_bytes + 4, CODE(0x0f, 0x8e), 2);
    assert_int_equal(leads_to(6), 10 + 0x100);
}

static void a_conditional_jump_that_counts_or_has_a_prefix_is_refused(void **state)
{
    (void)state;
    assert_int_equal(MOVE(0xe3, 0x06, 0x90, 0x90, 0x90, TAIL), PATCH_LEAVES); /* jrcxz */
    assert_int_equal(MOVE(0xe2, 0x06, 0x90, 0x90, 0x90, TAIL), PATCH_LEAVES); /* loop */
    assert_int_equal(MOVE(0x66, 0x74, 0x06, 0x90, 0x90, TAIL), PATCH_LEAVES); /* je of 16 bits, on some processors */
    assert_int_equal(MOVE(0xc7, 0xf8, 0x06, 0x00, 0x00, 0x00, TAIL), PATCH_LEAVES); /* xbegin */
}

static void an_address_relative_to_the_code_stays_the_address(void **state)
{
    (void)state;
    /* lea rax, [rip+0x1234] */
    assert_int_equal(MOVE(0x48, 0x8d, 0x05, 0x34, 0x12, 0x00, 0x00, TAIL), PATCH_NONE);
    assert_int_equal(leads_to(3), 7 + 0x1234);
    /* cmp dword [rip-0x100], 7: the distance is not at the end of the instruction */
    assert_int_equal(MOVE(0x83, 0x3d, 0x00, 0xff, 0xff, 0xff, 0x07, TAIL), PATCH_NONE);
    assert_int_equal((int64_t)TO + 7 + distance_at(2) - AT, 7 - 0x100);
    assert_int_equal(moved_bytes[6], 7);
}

static void an_address_of_32_bits_is_refused(void **state)
{
    (void)state;
    /* lea eax, [eip+0x1234] */
    assert_int_equal(MOVE(0x67, 0x8d, 0x05, 0x34, 0x12, 0x00, 0x00, TAIL), PATCH_OUT_OF_REACH);
}

static void what_would_not_reach_is_refused(void **state)
{
    const unsigned char lea[] = {0x48, 0x8d, 0x05, 0x00, 0x00, 0x00, 0x70, TAIL};
    const unsigned char jump[] = {0x90, 0x90, 0x90, 0x0f, 0x84, 0x00, 0x00, 0x00, 0x70, TAIL};
    const unsigned char plain[] = {PUSHES, TAIL};
    (void)state;
    assert_int_equal(move_bytes(lea, sizeof lea, 0x40000000, 0x10000000), PATCH_OUT_OF_REACH);
    assert_int_equal(move_bytes(jump, sizeof jump, 0x40000000, 0x10000000), PATCH_OUT_OF_REACH);
    assert_int_equal(move_bytes(plain, sizeof plain, 0x555500000000, 0x7f0000000000), PATCH_OUT_OF_REACH);
}

static void what_leads_elsewhere_is_refused(void **state)
{
    (void)state;
    assert_int_equal(MOVE(0xe9, 0x00, 0x01, 0x00, 0x00, TAIL), PATCH_LEAVES);       /* jmp */
    assert_int_equal(MOVE(0x90, 0xeb, 0x10, 0x90, 0x90, TAIL), PATCH_LEAVES);       /* jmp short */
    assert_int_equal(MOVE(0xff, 0x25, 0x00, 0x01, 0x00, 0x00, TAIL), PATCH_LEAVES); /* jmp [rip+…] */
    assert_int_equal(MOVE(0xff, 0xd0, 0x90, 0x90, 0x90, TAIL), PATCH_LEAVES);       /* call rax */
    assert_int_equal(MOVE(0x67, 0xe8, 0x00, 0x01, 0x00, 0x00, TAIL), PATCH_LEAVES); /* call with a prefix */
    assert_int_equal(MOVE(0xc3, 0x90, 0x90, 0x90, 0x90, TAIL), PATCH_LEAVES);       /* ret */
    assert_int_equal(MOVE(0x90, 0xcc, 0x90, 0x90, 0x90, TAIL), PATCH_LEAVES);       /* int3: a debugger's */
    assert_int_equal(MOVE(0x0f, 0x05, 0x90, 0x90, 0x90, TAIL), PATCH_LEAVES);       /* syscall */
    assert_int_equal(MOVE(0x0f, 0x0b, 0x90, 0x90, 0x90, TAIL), PATCH_LEAVES);       /* ud2 */
    assert_int_equal(MOVE(0xf4, 0x90, 0x90, 0x90, 0x90, TAIL), PATCH_LEAVES);       /* hlt */
}

static void what_is_no_instruction_is_refused_at_the_start_and_further_on(void **state)
{
    (void)state;
    assert_int_equal(MOVE(0x06, 0x90, 0x90, 0x90, 0x90, TAIL), PATCH_UNDECODABLE);
    assert_int_equal(MOVE(PUSHES, 0x90, 0x06, 0xc3), PATCH_UNDECODABLE);
    assert_int_equal(MOVE(PUSHES, 0x90, 0x48), PATCH_UNDECODABLE); /* cut off */
}

static void a_function_without_room_is_refused(void **state)
{
    const unsigned char code[] = {PUSHES};
    (void)state;
    assert_int_equal(move_bytes(code, 0, AT, TO), PATCH_SHORT);
    assert_int_equal(MOVE(0x90, 0x90, 0x90, 0x90), PATCH_SHORT);
    assert_int_equal(MOVE(PUSHES), PATCH_SHORT); /* nothing stays to lead back to */
    assert_int_equal(MOVE(0xf3, 0x0f, 0x1e, 0xfa, 0x90, 0x90, 0x90, 0x90), PATCH_SHORT);
}

static void a_jump_from_behind_into_what_is_moved_is_refused(void **state)
{
    (void)state;
    assert_int_equal(MOVE(PUSHES, 0x90, 0xeb, 0xf8, 0xc3), PATCH_ENTERED); /* jmp to 1 */
    assert_int_equal(MOVE(PUSHES, 0x90, 0x74, 0xf7, 0xc3), PATCH_ENTERED); /* je to 0: the entry as a loop */
    assert_int_equal(MOVE(PUSHES, 0x0f, 0x84, 0xf5, 0xff, 0xff, 0xff, 0xc3), PATCH_ENTERED);       /* je to 1 */
    assert_int_equal(MOVE(PUSHES, 0x48, 0x8d, 0x05, 0xf7, 0xff, 0xff, 0xff, 0xc3), PATCH_ENTERED); /* lea rax, [4] */
    assert_int_equal(MOVE(PUSHES, 0xe8, 0xf9, 0xff, 0xff, 0xff, 0xc3), PATCH_ENTERED);             /* call 4 */
    assert_int_equal(MOVE(0x48, 0x85, 0xff, 0x74, 0xfe, TAIL), PATCH_ENTERED);                     /* je to itself */
}

static void a_jump_to_what_stays_and_a_call_of_the_function_are_fine(void **state)
{
    (void)state;
    assert_int_equal(MOVE(PUSHES, 0x90, 0xeb, 0xfd, 0xc3), PATCH_NONE);                         /* jmp to 6 */
    assert_int_equal(MOVE(PUSHES, 0xe8, 0xf5, 0xff, 0xff, 0xff, 0xc3), PATCH_NONE);             /* call 0 */
    assert_int_equal(MOVE(PUSHES, 0x48, 0x8d, 0x05, 0xf3, 0xff, 0xff, 0xff, 0xc3), PATCH_NONE); /* lea rax, [0] */
}

/* --- run ---------------------------------------------------------------------------------------------------------- */

typedef long function_type(long argument);

/* Copies the code, moves its beginning, spoils what was moved, and gives what does its work now. */
static function_type *moved_function(const unsigned char *code, size_t size)
{
    unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    memset(page, 0xcc, 4096);
    memcpy(page, code, size);
    assert_int_equal(prologue_move(page, size, (uintptr_t)page, page + 2048, (uintptr_t)page + 2048, &moved), PATCH_NONE);
    memset(page + moved.head, 0xcc, moved.end - moved.head);
    assert_int_equal(mprotect(page, 4096, PROT_READ | PROT_EXEC), 0);
    return (function_type *)(uintptr_t)(page + 2048);
}

static void forget(function_type *function)
{
    munmap((void *)((uintptr_t)function & ~(uintptr_t)4095), 4096);
}

static void moved_jumps_take_either_way(void **state)
{
    /* test rdi, rdi; je 1f; mov eax, 5; ret; 1: mov eax, 7; ret */
    const unsigned char code[] = {0x48, 0x85, 0xff, 0x74, 0x06, 0xb8, 5, 0, 0, 0, 0xc3, 0xb8, 7, 0, 0, 0, 0xc3};
    (void)state;
    function_type *run = moved_function(code, sizeof code);
    assert_int_equal(run(0), 7);
    assert_int_equal(run(1), 5);
    forget(run);
}

static void a_moved_call_returns_to_the_function_itself(void **state)
{
    /* sub rsp, 8; call 1f; add rsp, 8; add rax, rdi; ret; 1: mov rax, [rsp]; ret: the return address */
    const unsigned char code[] = {0x48, 0x83, 0xec, 0x08, 0xe8, 0x08, 0,    0,    0,    0x48, 0x83,
                                  0xc4, 0x08, 0x48, 0x01, 0xf8, 0xc3, 0x48, 0x8b, 0x04, 0x24, 0xc3};
    (void)state;
    function_type *run = moved_function(code, sizeof code);
    assert_true(moved.calls);
    const long start = (long)((uintptr_t)run & ~(uintptr_t)4095);
    assert_int_equal(run(100), start + 9 + 100);
    forget(run);
}

static void a_moved_address_is_read_where_it_was(void **state)
{
    /* mov rax, [rip+2]; add rax, rdi … : the eight bytes behind the ret */
    const unsigned char code[] = {0x48, 0x8b, 0x05, 0x04, 0, 0, 0, 0x48, 0x01, 0xf8, 0xc3, 42, 0, 0, 0, 0, 0, 0, 0};
    (void)state;
    unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, code, sizeof code);
    assert_int_equal(prologue_move(page, 11, (uintptr_t)page, page + 2048, (uintptr_t)page + 2048, &moved), PATCH_NONE);
    assert_int_equal(mprotect(page, 4096, PROT_READ | PROT_EXEC), 0);
    assert_int_equal(((function_type *)(uintptr_t)(page + 2048))(1), 43);
    munmap(page, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_instructions_are_moved_and_a_jump_leads_back),
        cmocka_unit_test(an_endbr64_stays_at_the_head),
        cmocka_unit_test(an_endbr64_further_in_is_refused),
        cmocka_unit_test(a_short_conditional_jump_becomes_a_near_one_to_the_same_place),
        cmocka_unit_test(a_near_conditional_jump_leads_where_it_led),
        cmocka_unit_test(a_conditional_jump_that_counts_or_has_a_prefix_is_refused),
        cmocka_unit_test(an_address_relative_to_the_code_stays_the_address),
        cmocka_unit_test(an_address_of_32_bits_is_refused),
        cmocka_unit_test(what_would_not_reach_is_refused),
        cmocka_unit_test(what_leads_elsewhere_is_refused),
        cmocka_unit_test(what_is_no_instruction_is_refused_at_the_start_and_further_on),
        cmocka_unit_test(a_function_without_room_is_refused),
        cmocka_unit_test(a_jump_from_behind_into_what_is_moved_is_refused),
        cmocka_unit_test(a_jump_to_what_stays_and_a_call_of_the_function_are_fine),
        cmocka_unit_test(moved_jumps_take_either_way),
        cmocka_unit_test(a_moved_call_returns_to_the_function_itself),
        cmocka_unit_test(a_moved_address_is_read_where_it_was),
    };
    return cmocka_run_group_tests_name("prologue", tests, NULL, NULL);
}
