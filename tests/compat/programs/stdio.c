/* A socket as a FILE: what leaves goes by libc's inner write. */
#include "client.h"

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    char bytes[8192];
    int fd = connect_to(&request);
    FILE *peer = fd < 0 ? NULL : fdopen(fd, "r+");
    if (!peer)
        return 1;
    write_request(bytes, sizeof bytes, &request);
    fputs(bytes, peer);
    fflush(peer);
    while (fgets(bytes, sizeof bytes, peer))
        fputs(bytes, stdout);
    fclose(peer);
    return 0;
}
