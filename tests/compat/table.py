"""From rows to the machine-readable results, and from those to the table in README.md. Nothing here runs a program."""
import datetime
import json

from client import H2, HTTP, HTTPS

BEGIN, END = '<!-- clients -->', '<!-- /clients -->'
TRANSPORTS = {H2: 'h2', HTTPS: 'TLS', HTTP: 'plain'}


# --- results ---------------------------------------------------------------------------------------------------------------------

def debian_version():
    try:
        with open('/etc/debian_version', encoding='ascii') as file:
            return file.read().strip()
    except OSError:
        return ''


def results(rows, today=None, debian=None):
    """A dictionary of plain values: what RESULTS.json holds."""
    return {
        'date': (today or datetime.date.today()).isoformat(),
        'debian': debian_version() if debian is None else debian,
        'clients': [result(row) for row in rows],
    }


def result(row):
    found = {'name': row.client.name, 'package': row.client.package.split()[:1] or [''], 'version': row.version, 'mechanisms': row.client.mechanisms()}
    found['package'] = found['package'][0]
    if row.missing:
        return dict(found, missing='not installed', ways=[])
    ways = []
    for way in row.ways:
        one = {'method': way.method, 'transport': way.transport, 'without': way.without, 'with': way.with_shim, 'layers': way.layers}
        if way.steered:
            one['steered'] = True
        if way.trouble:
            one['trouble'] = way.trouble.split(' (exit code')[0]
        ways.append(one)
    found['ways'] = ways
    if row.diagnosis:
        found['doctor'] = row.diagnosis['verdict']
    return found


def write_json(path, found):
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(found, file, indent=1, ensure_ascii=False)
        file.write('\n')


def is_run(client):
    return bool(client['ways']) and not any('trouble' in way for way in client['ways'])


def is_fixed(client):
    return is_run(client) and all((way['without'], way['with']) == (401, 200) for way in client['ways'])


def summary(found):
    clients = found['clients']
    fixed = sum(map(is_fixed, clients))
    missing = sum('missing' in client for client in clients)
    trouble = sum(not is_run(client) for client in clients) - missing
    return '%d programs: %d fixed, %d not reached, %d in trouble, %d not installed' % (
        len(clients), fixed, len(clients) - fixed - missing - trouble, trouble, missing)


# --- the table -------------------------------------------------------------------------------------------------------------------

def tried(client):
    methods = list(dict.fromkeys(way['method'] for way in client['ways']))
    transports = list(dict.fromkeys(TRANSPORTS[way['transport']] for way in client['ways']))
    return '%s; %s' % (', '.join(methods), ', '.join(transports)) if client['ways'] else ''


def statuses(client, side):
    """One status where all ways have the same, else each status with its ways."""
    if 'missing' in client:
        return client['missing']
    ways = {}
    for way in client['ways']:
        status = 'trouble' if 'trouble' in way else way[side]
        ways.setdefault(status, []).append('%s %s' % (way['method'], TRANSPORTS[way['transport']]))
    if len(ways) == 1:
        return str(next(iter(ways)))
    return '; '.join('%s (%s)' % (status, ', '.join(names)) for status, names in ways.items())


def table(found):
    lines = ['| program | version | leaves by | tried | without | with |', '|---|---|---|---|---|---|']
    for client in found['clients']:
        cells = [client['name'], client['version'], ', '.join(client['mechanisms']), tried(client), statuses(client, 'without'),
                 '**%s**' % statuses(client, 'with') if is_fixed(client) else statuses(client, 'with')]
        lines.append('| %s |' % ' | '.join(cell.replace('|', '\\|') for cell in cells))
    head = 'Debian %s, %s: %s.' % (found['debian'], found['date'], summary(found))
    return '\n'.join([head, ''] + lines) + '\n'


def put_into(text, found):
    """The text with what stands between its markers replaced. Raises ValueError where there is not exactly one pair."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError('not exactly one %s … %s' % (BEGIN, END))
    before, _, rest = text.partition(BEGIN)
    return '%s%s\n%s%s%s' % (before, BEGIN, table(found), END, rest.partition(END)[2])


def write_readme(path, found):
    with open(path, encoding='utf-8') as file:
        text = put_into(file.read(), found)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
