# bash: bash heredoc.bash tcp:HOST:PORT FILE. A here-document, and a whole block of commands with one redirection.
IFS=: read -r _ host port <<< "$1"
exec 3<> "/dev/tcp/$host/$port"
request=$(cat "$2"; echo x)
request=${request%x}
cat <<< "${request%$'\n'}" >&3
{
  while IFS= read -r line; do
    echo "$line"
  done <<< "${request%$'\n'}"
} >&3
