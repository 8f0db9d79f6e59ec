# gawk: gawk -f inet.awk tcp:HOST:PORT FILE. A line of the request at a time; the second time all at once.
BEGIN {
  split(ARGV[1], part, ":")
  connection = "/inet/tcp/0/" part[2] "/" part[3]
  while ((getline line < ARGV[2]) > 0) {
    printf "%s\n", line |& connection
    fflush(connection)
    whole = whole line "\n"
  }
  printf "%s", whole |& connection
  close(connection)
}
