"""The page of jwtshim report in a real Chromium: nothing in the console, nothing loaded, nothing run that an event says, and it sorts."""
import re

import browser
from stage import event, read

# What would run, load or break out, were it ever taken for markup.
HOSTILE = ['<script>window.hacked = 1</script>', '"><img src=x onerror="window.hacked = 2">', "'><svg onload='window.hacked = 3'>", '</script></style></title><b>bold',
           '<a href="javascript:window.hacked = 4">', '&lt;i&gt;', '\x1b[31m\u202egpj.exe', '</table><form action=//x><button>']

CONTRAST = '''
const luminance = colour => {
  const parts = colour.match(/[0-9.]+/g).slice(0, 3).map(part => part / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
const backgroundOf = element => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if (!/^rgba\\(.*, 0\\)$/.test(colour)) return colour;
  }
  return 'rgb(255, 255, 255)';
};
const worst = {ratio: 99};
for (const element of document.querySelectorAll('body *')) {
  if (!Array.from(element.childNodes).some(node => node.nodeType === 3 && node.data.trim()) || element.matches('script, style, title, desc')) continue;
  const style = getComputedStyle(element);
  const [a, b] = [luminance(element.closest('svg') ? style.fill : style.color), luminance(backgroundOf(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < worst.ratio) Object.assign(worst, {ratio, what: element.tagName + ' ' + element.className + ' ' + element.textContent.slice(0, 40)});
}
return worst;
'''


def column(page, number):
    return page.ask("return Array.from(document.querySelectorAll('#all tbody tr'), row => row.cells[arguments[0]].textContent)", number)


def requests(page):
    return [int(text.replace(',', '')) for text in column(page, 4)]


def make(stage):
    log = ''.join(event(program='/opt/p%02d' % i, time='2026-11-%02dT0%d:00:00.000Z' % (20 + i % 5, i % 9)) * (i * 37 % 11 + 1) for i in range(12))
    log += event() * 1233 + event(action='would-rewrite') + event(jwt_findings=['expired']) + event(action='passed', reason='host-not-atlassian')
    for text in HOSTILE:
        log += event(action='passed', program=text, host=text, layer=text, reason=text) + event(jwt_findings=[text])
        log += event(action='setting-ignored', program=text, jwtshim_setting=text, reason=text)
    path = stage.path('page.html')
    run = stage.run('report', '--html=' + path, stage.write('log', log))
    stage.check(run.code == 0 and not run.err and not run.out, 'the page is written', run)
    return path


def text_of_the_page(stage, path):
    """What can be said without a browser."""
    text = read(path)
    stage.check(not re.search(r'(?:src|href|action|url\()\s*=?\s*["\']?(?!data:,)(?:https?:|//|[a-z]+\.(?:js|css|png))', re.sub(r'&lt;.*?&gt;', '', text)),
                'nothing in it names anything to load')
    stage.check(text.count('<script') == 1 and not re.search(r'\son[a-z]+=|style="|javascript:(?!window)', re.sub(r'&[a-z#0-9]+;', '', text).replace('onerror=window', '')
                                                            .replace('onload=window', '')), 'one script, and no handler or style in an attribute')
    stage.check('/opt/p03' in text and '<td class="number" data-value="1234">1,234</td>' in text, 'it says everything without its script')


def opened(stage, page, path):
    page.open('file://' + path)
    log = page.console()
    stage.check(log == [], 'it opens without a word in the console', log)
    stage.check(page.ask('return performance.getEntriesByType("resource").length') == 0, 'and loads nothing')
    seen = page.ask('return [window.hacked, document.scripts.length, document.images.length, document.title, document.querySelectorAll("b").length, document.forms.length,'
                    'document.links.length, document.querySelectorAll("svg").length]')
    stage.check(seen == [None, 1, 0, 'Requests to Atlassian: jwtshim report', 5, 0, 0, 1], 'no text of an event became an element or ran', seen)
    programs = column(page, 0)
    stage.check(all(text in programs for text in HOSTILE if '\x1b' not in text) and '\\u001b[31m\\u202egpj.exe' in programs, 'it stands there as it is', programs)
    stage.check(page.ask('const inject = document.createElement("script"); inject.textContent = "window.hacked = 5"; document.body.append(inject); return window.hacked')
                is None and page.console(), 'even a script that got into the page would not run')
    page.open('file://' + path)
    page.console()


def sorted_by(stage, page):
    before = requests(page)
    stage.check(before == sorted(before, reverse=True) and before[0] == 1234, 'at first the most requests are on top', before)
    page.click('#all th:nth-child(5) button')
    after = requests(page)
    stage.check(after == sorted(before) and page.ask('return document.querySelector("#all th:nth-child(5)").getAttribute("aria-sort")') == 'ascending',
                'a click on Requests turns that round, as numbers, and tells assistive technology', after)
    page.click('#all th:nth-child(5) button')
    stage.check(requests(page) == before, 'another click turns it back')
    page.type('#all th:nth-child(1) button', '\ue007')
    programs = [name for name in column(page, 0) if name.startswith('/opt')]
    stage.check(programs == sorted(programs) and len(programs) == 12 and page.ask('return document.querySelectorAll("[aria-sort]").length') == 1,
                'the Enter key on Program sorts by it', programs)
    page.click('#all th:nth-child(6) button')
    times = [text for text in column(page, 5) if text]
    stage.check(times == sorted(times, reverse=True), 'a click on First seen: the latest on top', times)
    page.type('input[type=search]', 'p03')
    shown = page.ask('return Array.from(document.querySelectorAll("#all tbody tr")).filter(row => row.offsetParent).length')
    stage.check(shown == 1 and page.ask('return document.querySelector("[role=status]").textContent').startswith('1 of '), 'the filter shows the rows with a text', shown)
    stage.check(page.console() == [], 'and all of it without a word in the console')


def seen_by_everyone(stage, page, path):
    page.open('file://' + path)
    for scheme in ('light', 'dark'):
        page.prefer(scheme)
        worst = page.ask(CONTRAST)
        stage.check(worst['ratio'] >= 4.5, 'in the %s scheme all text has a contrast of at least 4.5' % scheme, worst)
    stage.check(page.ask('return getComputedStyle(document.body).backgroundColor') == 'rgb(13, 17, 23)', 'the dark scheme is dark')
    names = page.ask('return [document.documentElement.lang, document.querySelector("svg").getAttribute("role"), document.getElementById("chart").textContent.length > 40,'
                     'Array.from(document.querySelectorAll("th")).every(header => header.scope === "col")]')
    stage.check(names == ['en', 'img', True, True], 'language, the drawing and the headings have names', names)
    drawn = page.ask('return [document.querySelectorAll("svg rect.failing").length, Array.from(document.querySelectorAll("details tbody tr")).length]')
    stage.check(drawn[0] >= 1 and drawn[1] >= 5, 'the timeline is drawn, and there as a table', drawn)


def all_of(stage):
    path = make(stage)
    text_of_the_page(stage, path)
    if not browser.is_installed():
        stage.tap.skip('the page in a browser', 'Chromium and its driver are not installed')
        return
    page = browser.Browser(stage.tmp)
    try:
        opened(stage, page, path)
        sorted_by(stage, page)
        seen_by_everyone(stage, page, path)
    finally:
        page.close()
