"""The bench's figures as tables, for a terminal and for RESULTS.md, and as a plot."""

import math

WAY = {'plain': 'plain', 'tls': 'TLS'}


def figure(value, digits=0):
    return '{:,.{}f}'.format(value, digits)


def size(count):
    return '%s MiB' % figure(count / (1 << 20), 1) if count >= 1 << 20 else '%s KiB' % figure(count / (1 << 10))


def text_table(head, rows):
    widths = [max(len(str(row[column])) for row in [head] + rows) for column in range(len(head))]
    def line(row):
        return '  '.join([str(row[0]).ljust(widths[0])] + [str(cell).rjust(width) for cell, width in zip(row[1:], widths[1:])]).rstrip()
    return '\n'.join(line(row) for row in [head] + rows)


def markdown_table(head, rows):
    lines = [head, ['---'] + ['--:'] * (len(head) - 1)] + rows
    return '\n'.join('| %s |' % ' | '.join(str(cell) for cell in row) for row in lines)


def instruction_rows(costs):
    """[(what, measured, budget)]"""
    return ['instructions above the real call', 'measured', 'budget'], \
        [[what, figure(cost), figure(budget) + (', over' if cost > budget else '')] for what, cost, budget in costs]


def preload_rows(execs, writes):
    """`execs`: {program: {name: (median, fastest tenth)}}"""
    head = ['preloaded'] + [cell for program in execs for cell in ('exec of %s, µs' % program, 'fastest tenth', 'over an empty object', 'ratio')] + \
        ['write, ns', 'ratio']
    rows = []
    for name in writes:
        row = [name]
        for times in execs.values():
            median, fastest = times[name]
            row += [figure(median), figure(fastest), '' if name == 'nothing' else '%+.0f' % (median - times['an empty object'][0]),
                    figure(median / times['nothing'][0], 2)]
        rows.append(row + [figure(writes[name][0]), figure(writes[name][0] / writes['nothing'][0], 2)])
    return head, rows


def load_rows(load, connections):
    """{(way, connections): {name: (p50, p99, rate)}}: ratios are to nothing."""
    ways = [way for way, number in load if number == connections]
    head = [''] + [cell for way in ways for cell in ('%s: p50, µs' % WAY[way], 'ratio', 'p99, µs', 'requests/s', 'ratio')]
    rows = []
    for name in load[ways[0], connections]:
        row = [name]
        for way in ways:
            (p50, p99, rate), base = load[way, connections][name], load[way, connections]['nothing']
            row += [figure(p50), figure(p50 / base[0], 2), figure(p99), figure(rate), figure(rate / base[2], 2)]
        rows.append(row)
    return head, rows


def upload_rows(uploads, memory):
    head = [''] + [cell for way in uploads for cell in ('%s: MiB/s' % WAY[way], 'ratio')] + ['memory']
    rows = []
    for name in next(iter(uploads.values())):
        row = [name]
        for way in uploads.values():
            row += [figure(way[name][0]), figure(way[name][0] / way['nothing'][0], 2)]
        rows.append(row + [size(memory[name]) if name in memory else ''])
    return head, rows


# --- the plot --------------------------------------------------------------------------------------------------------------------

COLOURS = {'plain': '#2a6f97', 'tls': '#d1495b'}
LEFT, TOP, WIDTH, BAR, GAP = 130, 58, 520, 11, 12


def decade_label(value):
    return '%g ms' % (value / 1000) if value >= 1000 else '%g µs' % value


def bars(number, name, load):
    """One contestant: per way a solid bar to p50, and a line on to p99."""
    lowest, scale = scale_of(load)
    ways = [way for way, connections in load if connections == 1]
    top = TOP + number * (len(ways) * (BAR + 2) + GAP)
    lines = ['<text x="%d" y="%d" text-anchor="end">%s</text>' % (LEFT - 8, top + len(ways) * (BAR + 2) / 2 + 4, name)]
    for place, way in enumerate(ways):
        p50, p99, _ = load[way, 1][name]
        y = top + place * (BAR + 2)
        to = [LEFT + scale * math.log10(value / lowest) for value in (p50, p99)]
        lines.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (LEFT, y, to[0] - LEFT, BAR, COLOURS[way]))
        lines.append('<path d="M%.1f %.1fH%.1fm0 -4v8" stroke="%s" stroke-width="1.5"/>' % (to[0], y + BAR / 2, to[1], COLOURS[way]))
        lines.append('<text x="%.1f" y="%.1f" class="small">%s / %s</text>' % (to[1] + 6, y + BAR - 1, figure(p50), figure(p99)))
    return lines


def scale_of(load):
    """The value at the left edge, a power of ten, and pixels a decade."""
    values = [value for (_, connections), rows in load.items() if connections == 1 for row in rows.values() for value in row[:2]]
    low, high = math.floor(math.log10(min(values)) - 0.01), math.ceil(math.log10(max(values)))
    return 10.0 ** low, WIDTH / (high - low)


def plot(load, caption):
    lowest, scale = scale_of(load)
    names = list(next(iter(load.values())))
    ways = [way for way, connections in load if connections == 1]
    bottom = TOP + len(names) * (len(ways) * (BAR + 2) + GAP)
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">' % (LEFT + WIDTH + 110, bottom + 44),
             '<style>.small { font-size: 9px; fill: #444 } .grid { stroke: #ddd }</style>',
             '<rect width="100%" height="100%" fill="white"/>',
             '<text x="%d" y="20" font-size="14" font-weight="bold">Latency of one request, one connection (µs: p50 / p99)</text>' % LEFT]
    for place, way in enumerate(ways):
        x = LEFT + place * 90
        lines.append('<rect x="%d" y="30" width="10" height="10" fill="%s"/><text x="%d" y="39">%s</text>' % (x, COLOURS[way], x + 15, WAY[way]))
    lines.append('<text x="%d" y="39" class="small">bar: p50, line: p99, logarithmic</text>' % (LEFT + 190))
    value = lowest
    while scale * math.log10(value / lowest) <= WIDTH + 0.5:
        x = LEFT + scale * math.log10(value / lowest)
        lines.append('<path class="grid" d="M%.1f %dV%d"/><text x="%.1f" y="%d" text-anchor="middle" class="small">%s</text>'
                     % (x, TOP - 6, bottom, x, bottom + 14, decade_label(value)))
        value *= 10
    for number, name in enumerate(names):
        lines += bars(number, name, load)
    lines.append('<text x="%d" y="%d" class="small">%s</text></svg>' % (LEFT, bottom + 34, caption))
    return '\n'.join(lines) + '\n'
