"""From the first look to the report: a real curl in audit mode and out of it, and what the report makes of the shim's own log."""
import harness


def all_of(stage):
    with harness.start_mock(stage.build) as mock:
        log = stage.path('events.jsonl')

        def ask(*options):
            url = mock.sign('GET', 'https://site.atlassian.net/rest/api/3/myself')
            run = mock.run([stage.jwtshim, 'run', '--log', log, *options, '--', 'curl', '-s', '--cacert', mock.ca, '-o', '/dev/null', '-w', '%{http_code}', url])
            return run.out.decode()

        seen = [ask('--audit'), ask('--audit'), ask(), ask('--hosts', '-atlassian.net', '--log-level', 'all')]
        stage.check(seen == ['401', '401', '200', '401'], 'in audit mode curl fails as before, then it does not, then its host is taken out', seen)
        run = stage.json('report', log)
        total = run.json['total']
        stage.check(run.code == 0 and (total['requests'], total['audit'], total['moved'], total['left']) == (4, 2, 1, 1), 'the report says the same', run)
        row = run.json['rows'][0]
        stage.check(row['program'].endswith('/curl') and row['host'] == 'site.atlassian.net' and row['first_seen'] and row['layers'] == ['nghttp2'],
                    'with program, host, time and layer', row)
        with open(log, 'rb') as file:
            stage.check(not mock.leaked(file.read() + run.out.encode()), 'and no token is in the log or the report')
