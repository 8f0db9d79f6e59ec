/* The mover of prologues, for any bytes: what it accepts, the decoder understands on both sides, an instruction for an
 * instruction, and what was relative still means the same. */
#include "../../shim/patch/prologue.h"

#include <Zydis/Zydis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AT = 0x40001000, TO = 0x3fff0000 };

static void must(bool kept, const char *promise)
{
    if (kept)
        return;
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

static ZydisDecodedInstruction decoded(const unsigned char *code, size_t len, ZydisDecodedOperand *operands)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction instruction;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    must(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &instruction, operands)),
         "what is accepted can be decoded");
    return instruction;
}

/* The absolute address that an instruction's relative operand means; 0 if it has none. */
static uint64_t meaning(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operands, uint64_t at)
{
    ZyanU64 address = 0;
    if (instruction->attributes & ZYDIS_ATTRIB_IS_RELATIVE)
        for (int i = 0; i < instruction->operand_count && !address; i++)
            if (ZYAN_FAILED(ZydisCalcAbsoluteAddress(instruction, &operands[i], at, &address)))
                address = 0;
    return address;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char to[PROLOGUE_MOVED_MAX];
    struct prologue moved;
    ZydisDecodedOperand before_operands[ZYDIS_MAX_OPERAND_COUNT], after_operands[ZYDIS_MAX_OPERAND_COUNT];
    if (prologue_move(data, size, AT, to, TO, &moved) != PATCH_NONE)
        return 0;
    must(moved.emitted <= sizeof to && moved.end < size && moved.end >= moved.head + PROLOGUE_JUMP,
         "it keeps to its room");
    size_t offset = moved.head, out = 0;
    while (offset < moved.end) {
        const ZydisDecodedInstruction before = decoded(data + offset, size - offset, before_operands);
        if (moved.calls && offset + before.length == moved.end)
            break;
        const ZydisDecodedInstruction after = decoded(to + out, moved.emitted - out, after_operands);
        must(before.mnemonic == after.mnemonic, "an instruction stays what it is");
        must(meaning(&before, before_operands, AT + offset) == meaning(&after, after_operands, TO + out),
             "an address stays what it is");
        offset += before.length;
        out += after.length;
    }
    if (!moved.calls) {
        const ZydisDecodedInstruction last = decoded(to + out, moved.emitted - out, after_operands);
        must(last.mnemonic == ZYDIS_MNEMONIC_JMP && meaning(&last, after_operands, TO + out) == AT + moved.end,
             "it leads back");
        out += last.length;
        must(out == moved.emitted, "nothing is behind that");
    }
    return 0;
}
