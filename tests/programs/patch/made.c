/* A program that has the names of OpenSSL, and an SSL_write that begins in a way which may or may not be moved: -DWAY_… says
 * which. Prints what SSL_write answers (twice its length), waits for a line, and asks again.
 *
 *     made [LENGTH] */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FUNCTION(name, body)                                                                                           \
    ".globl " name "\n.type " name ", @function\n" name ":\n" body "\n.size " name ", . - " name "\n"
#define TWICE "lea (%rdx,%rdx), %eax\nret\n"

__asm__(".text\n" FUNCTION("twice", TWICE));
#if !defined SMALL /* OpenSSL never is, and what is smaller is not looked at */
__asm__(".section .rodata\n.skip 1 << 20\n.text\n");
#endif
__asm__(".data\npointer: .quad twice\nnothing: .quad 0\n.text\n");

#if defined WAY_endbr
#define BEGINNING "endbr64\npush %rbp\nmov %rsp, %rbp\nnop\nnop\npop %rbp\n" TWICE
#elif defined WAY_relative
#define BEGINNING "mov nothing(%rip), %eax\nadd %edx, %eax\nadd %edx, %eax\nret\n"
#elif defined WAY_condition
#define BEGINNING "test %edx, %edx\nje 1f\nlea (%rdx,%rdx), %eax\nret\n1: xor %eax, %eax\nret\n"
#elif defined WAY_call
#define BEGINNING "sub $8, %rsp\ncall twice\nadd $8, %rsp\nret\n"
#elif defined WAY_jump
#define BEGINNING "jmp twice\nnop\nnop\nnop\nnop\n"
#elif defined WAY_pointer
#define BEGINNING "push %rbp\ncall *pointer(%rip)\npop %rbp\nret\n"
#elif defined WAY_entered
#define BEGINNING "xor %eax, %eax\n1: add $2, %eax\ndec %edx\njne 1b\nret\nnop\nnop\n"
#elif defined WAY_short
#define BEGINNING TWICE
#elif defined WAY_unknown
#define BEGINNING "push %rbp\nmov %rsp, %rbp\nnop\nnop\npop %rbp\n" TWICE ".byte 0x06\n"
#else
#define BEGINNING "push %rbp\nmov %rsp, %rbp\nnop\nnop\npop %rbp\n" TWICE
#endif

#if defined WAY_nosize
__asm__(".globl SSL_write\n.type SSL_write, @function\nSSL_write:\n" BEGINNING);
#elif defined WAY_notype
__asm__(".globl SSL_write\nSSL_write:\n" BEGINNING);
#else
__asm__(FUNCTION("SSL_write", BEGINNING));
#endif

#if defined WAY_data
__asm__(".data\n" FUNCTION("SSL_sendfile", BEGINNING) ".text\n");
#endif

int SSL_write(void *ssl, const void *buf, int len);
static volatile int done;

#if !defined WAY_alone
#define LIKE_OPENSSL(name)                                                                                             \
    int name(void *ssl);                                                                                               \
    int name(void *ssl)                                                                                                \
    {                                                                                                                  \
        done += ssl != NULL;                                                                                           \
        return done;                                                                                                   \
    }
LIKE_OPENSSL(SSL_read)
LIKE_OPENSSL(SSL_shutdown)
LIKE_OPENSSL(SSL_new)
LIKE_OPENSSL(SSL_free)
LIKE_OPENSSL(SSL_clear)
LIKE_OPENSSL(SSL_get_ssl_method)
#if defined WAY_boring
LIKE_OPENSSL(BORINGSSL_self_test)
#endif
#endif

int main(int count, char **arguments)
{
    const int len = count > 1 ? atoi(arguments[1]) : 5;
    char line[16];
    connect(-1, NULL, 0);
    printf("%d\n", SSL_write(line, "hello", len));
    fflush(stdout);
    done += read(0, line, sizeof line) > 0;
    printf("%d\n", SSL_write(line, "hello", len));
    return 0;
}
