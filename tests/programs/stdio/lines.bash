# bash: bash lines.bash tcp:HOST:PORT FILE. A request line by line through /dev/tcp, each by a redirection of its own.
IFS=: read -r _ host port <<< "$1"
exec 3<> "/dev/tcp/$host/$port"
while IFS= read -r line; do
  printf '%s\n' "$line" >&3
done < "$2"
exec 3>&-
