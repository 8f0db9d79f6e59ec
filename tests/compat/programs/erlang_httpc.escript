#!/usr/bin/env escript
%% Erlang's httpc: TLS in Erlang.
main([Mode, Url]) ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, _} = application:ensure_all_started(inets),
    Options = case Url of "https:" ++ _ -> [{ssl, [{verify, verify_peer}, {cacertfile, os:getenv("CA")}]}]; _ -> [] end,
    Request = case Mode of "post" -> {Url, [], "application/json", "{}"}; _ -> {Url, []} end,
    {ok, {{_, Code, _}, _, _}} = httpc:request(list_to_atom(Mode), Request, Options, []),
    io:format("~b~n", [Code]).
