# bash: bash children.bash tcp:HOST:PORT FILE. Four requests on one connection by children that inherit it: cat, printf, and shells.
IFS=: read -r _ host port <<< "$1"
exec 3<> "/dev/tcp/$host/$port"
export request
request=$(cat "$2"; echo x)
request=${request%x}
cat "$2" >&3
env printf %s "$request" >&3
bash -c 'printf %s "$request" >&3'
bash -c 'while IFS= read -r line; do printf "%s\n" "$line"; done' < "$2" >&3
