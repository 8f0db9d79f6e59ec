"""What real shells offer at a Tab, with the completions that were installed below a prefix."""
import os
import re
import shutil
import subprocess


class Shell:
    name = ''

    def __init__(self, prefix):
        path = os.path.join(prefix, 'bin') + ':' + os.environ['PATH']
        self.environment = {'PATH': path, 'HOME': '/nonexistent', 'LC_ALL': 'C.UTF-8', 'TERM': 'dumb'}
        self.prefix = prefix

    def there(self):
        return shutil.which(self.name) is not None

    def run(self, argv, text=''):
        done = subprocess.run(argv, input=text, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False, text=True,
                              env=self.environment, cwd=self.prefix)
        return done.stdout


class Bash(Shell):
    name = 'bash'
    # Fills what bash would fill, and asks the function that `complete` has for the command.
    ASK = r'''
source "$1/share/bash-completion/completions/jwtshim"
line=$2
read -ra COMP_WORDS <<< "${line//=/ = }" # as COMP_WORDBREAKS says
if [[ $line == *' ' ]]; then COMP_WORDS+=(''); fi
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line}
function=$(complete -p "${COMP_WORDS[0]}" | sed 's/.* -F \([^ ]*\) .*/\1/')
"$function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
'''

    def offers(self, line):
        return self.run(['bash', '--norc', '--noprofile', '-c', self.ASK, 'bash', self.prefix, line]).split('\n')[:-1]


class Zsh(Shell):
    name = 'zsh'
    # An interactive zsh in a pseudo terminal of its own; its list of matches is taken by a completer around the real one.
    ASK = r'''
zmodload zsh/zpty || exit 1
zpty -b shell zsh -f -i
zpty -w shell "fpath=($1/share/zsh/site-functions \$fpath) PS1= PROMPT_EOL_MARK="
zpty -w shell 'autoload -Uz compinit && compinit -u -D'
zpty -w shell 'zstyle ":completion:*" list-colors "" ; zstyle ":completion:*" verbose no; LISTMAX=10000; COLUMNS=400; LINES=2000'
zpty -w shell 'compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)* ]]; then builtin compadd "$@"; return; fi
  typeset -a __hits
  builtin compadd -A __hits "$@"
  builtin compadd "$@"
  local code=$?
  print -r -- "@@ ${(j: :)__hits}" >> '"$3"'
  return $code
}'
zpty -w shell 'done_() { print -r -- "@@buffer $BUFFER"$'\''\n'\''"@@end" >> '"$3"'; zle kill-buffer }'
zpty -w shell 'zle -N done_; bindkey "^X" done_; setopt no_beep no_always_last_prompt no_list_packed'
zpty -w shell 'print -r -- "@@ready" >> '"$3"
integer left=200
while (( left-- )) && ! grep -q @@ready $3 2> /dev/null; do sleep 0.05; done
zpty -w -n shell "$2"$'\t'
sleep 0.3
zpty -w -n shell $'\x18'
left=200
while (( left-- )) && ! grep -q @@end $3 2> /dev/null; do sleep 0.05; done
zpty -d shell
'''

    def offers(self, line):
        answer = os.path.join(self.prefix, 'zsh-answer')
        if os.path.exists(answer):
            os.unlink(answer)
        self.run(['zsh', '-f', '-c', self.ASK, 'zsh', self.prefix, line, answer])
        with open(answer, encoding='utf-8') as file:
            text = file.read()
        os.unlink(answer)
        words = [re.sub(r'\\(.)', r'\1', word) for found in re.findall(r'^@@ (.*)$', text, re.M) for word in found.split()]
        # compadd names no matches from a hash of zsh's own, such as its commands; but a single one is in the line by now.
        typed = re.search(r'^@@buffer (.*)$', text, re.M).group(1).split()
        return words + [word for word in typed[-1:] if word != line.split()[-1]]
