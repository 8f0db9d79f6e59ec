{ Free Pascal's TFPHTTPClient, which makes system calls of its own; TLS by OpenSSL's functions by address. }
program pascal_http;
{$mode objfpc}{$H+}
uses cthreads, classes, sysutils, fphttpclient, opensslsockets;
var client: TFPHTTPClient;
begin
  client := TFPHTTPClient.Create(nil);
  if ParamStr(1) = 'post' then client.RequestBody := TStringStream.Create('{}');
  try
    if ParamStr(1) = 'post' then client.Post(ParamStr(2)) else client.Get(ParamStr(2));
  except on e: EHTTPClient do ; end;
  WriteLn(client.ResponseStatusCode);
end.
