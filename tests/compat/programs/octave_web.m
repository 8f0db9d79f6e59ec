% Octave's urlread: libcurl.
arguments = argv();
if strcmp(arguments{1}, "post")
  [~, okay] = urlread(arguments{2}, "post", {"a", "b"});
else
  [~, okay] = urlread(arguments{2});
end
disp(okay)
