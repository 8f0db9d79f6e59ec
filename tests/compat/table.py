"""From rows to the machine-readable results, and from those to the table in README.md. Nothing here runs a program."""
import datetime
import json

from client import H2, HTTP, HTTPS

BEGIN, END = '<!-- clients -->', '<!-- /clients -->'
TRANSPORTS = {H2: 'h2', HTTPS: 'TLS', HTTP: 'plain'}
OUTCOMES = ('fixed', 'fixed in part', 'not reached', 'in trouble', 'not installed')


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
    package = row.client.package.split()[0] if row.client.package else ''
    found = {'name': row.client.name, 'package': package, 'version': row.version, 'mechanisms': row.client.mechanisms()}
    if row.missing:
        return dict(found, missing=row.missing, ways=[])
    found['ways'] = [way_result(way) for way in row.ways]
    if row.diagnosis:
        found['doctor'] = row.diagnosis['verdict']
    return found


def way_result(way):
    found = {'method': way.method, 'transport': way.transport, 'without': way.without, 'with': way.with_shim, 'layers': way.layers}
    if way.steered:
        found['steered'] = True
    if way.trouble:
        found['trouble'] = way.trouble.split(' (exit code')[0]      # what the program said is no result
    return found


def as_json(found):
    """A client a line."""
    head = ''.join('%s: %s,\n' % (json.dumps(name), json.dumps(found[name])) for name in ('date', 'debian'))
    clients = ',\n'.join(json.dumps(client, ensure_ascii=False) for client in found['clients'])
    return '{%s"clients": [\n%s\n]}\n' % (head, clients)


def write_json(path, found):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(as_json(found))


def outcome(client):
    """One of OUTCOMES."""
    if 'missing' in client:
        return 'not installed'
    if not client['ways'] or any('trouble' in way for way in client['ways']):
        return 'in trouble'
    fixed = [(way['without'], way['with']) == (401, 200) for way in client['ways']]
    return 'fixed' if all(fixed) else 'fixed in part' if any(fixed) else 'not reached'


def summary(found):
    outcomes = [outcome(client) for client in found['clients']]
    counts = ['%d %s' % (outcomes.count(name), name) for name in OUTCOMES if name in outcomes]
    return '%d programs: %s' % (len(outcomes), ', '.join(counts))


# --- the table -------------------------------------------------------------------------------------------------------------------

def names(values):
    return ', '.join(dict.fromkeys(values))


def tried(client):
    ways = client['ways']
    return '%s; %s' % (names(way['method'] for way in ways), names(TRANSPORTS[way['transport']] for way in ways)) if ways else ''


def statuses(client, side):
    """One status where all ways have the same, else each status with its ways: their transports, where the methods do not differ."""
    if 'missing' in client:
        return 'not installed'
    by_transport, by_way = {}, {}
    for way in client['ways']:
        status = 'trouble' if 'trouble' in way else way[side]
        by_transport.setdefault(TRANSPORTS[way['transport']], set()).add(status)
        by_way.setdefault(status, []).append('%s %s' % (way['method'], TRANSPORTS[way['transport']]))
    if len(by_way) == 1:
        return str(next(iter(by_way)))
    if all(len(found) == 1 for found in by_transport.values()):
        by_way = {status: [name for name, found in by_transport.items() if status in found] for status in by_way}
    return '; '.join('%s (%s)' % (status, names(ways)) for status, ways in by_way.items())


def table(found):
    lines = ['| program | version | leaves by | tried | without | with |', '|---|---|---|---|---|---|']
    for client in found['clients']:
        cells = [client['name'], client['version'], ', '.join(client['mechanisms']), tried(client), statuses(client, 'without'),
                 statuses(client, 'with')]
        if outcome(client) == 'fixed':
            cells[-1] = '**%s**' % cells[-1]
        if any(way.get('steered') for way in client['ways']):
            cells[-1] += ', h2 steered to HTTP/1.1'
        lines.append('| %s |' % ' | '.join(cell.replace('|', '\\|') for cell in cells))
    head = 'Debian %s, %s. %s.' % (found['debian'], found['date'], summary(found))
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
