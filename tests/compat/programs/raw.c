/* A plain socket and nothing else: for the ways to build a program that the shim cannot enter. */
#include "client.h"

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    char bytes[8192];
    int fd = connect_to(&request);
    int length = write_request(bytes, sizeof bytes, &request);
    if (fd < 0 || write(fd, bytes, (size_t)length) != length)
        return 1;
    for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;)
        fwrite(bytes, 1, (size_t)got, stdout);
    return 0;
}
