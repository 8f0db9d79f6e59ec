"""The change as an addon of mitmproxy's: the query's jwt becomes a header. Before the body, so that bodies can be passed on as they come."""


def requestheaders(flow):
    token = flow.request.query.get('jwt')
    if token:
        del flow.request.query['jwt']
        flow.request.headers['Authorization'] = 'JWT ' + token
