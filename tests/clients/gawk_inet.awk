#!/usr/bin/gawk -f
# gawk's /inet/tcp: a line of the head at a time, the body at once. Two requests are pipelined. Prints the status of each response.

function send(text) {
  printf "%s", text |& connection
}

function request(method, url, last, body,    rest) {
  rest = substr(url, index(url, "://") + 3)
  send(method " " substr(rest, index(rest, "/")) " HTTP/1.1\r\n")
  send("Host: " host "\r\n")
  if (body != "")
    send("Content-Type: application/json\r\nContent-Length: " length(body) "\r\n")
  send("Connection: " (last ? "close" : "keep-alive") "\r\n")
  send("\r\n")
  send(body)
}

BEGIN {
  mode = ARGV[1]
  host = ARGV[2]
  sub(/^[a-z]+:\/\//, "", host)
  sub(/\/.*/, "", host)
  connection = "/inet/tcp/0/" host "/80"
  if (mode == "post") {
    RS = "^$"
    getline body < ENVIRON["BODY"]
  }
  for (i = 2; i < ARGC; i++)
    request(mode == "post" ? "POST" : "GET", ARGV[i], i == ARGC - 1, body)

  # A status line may follow a body that ends without a line end.
  RS = "\r\n"
  while ((connection |& getline line) > 0)
    if (match(line, /HTTP\/1\.1 [0-9]+/))
      print substr(line, RSTART + 9, RLENGTH - 9)
  close(connection)
}
