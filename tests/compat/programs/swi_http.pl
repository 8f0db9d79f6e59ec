% SWI-Prolog's http_open, over its OpenSSL plugin.
:- use_module(library(http/http_open)).
:- use_module(library(http/http_client)).
:- initialization(main, main).
main([Mode, Url]) :-
    getenv('CA', Ca),
    ( Mode == post -> More = [post(codes(`{}`))] ; More = [] ),
    http_open(Url, Stream, [status_code(Code), cacerts([file(Ca)])|More]),
    close(Stream),
    writeln(Code).
