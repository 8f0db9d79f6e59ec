# Furl.
use strict;
use warnings;
use Furl;

my ($mode, $url) = @ARGV;
my $furl = Furl->new(ssl_opts => { SSL_ca_file => $ENV{CA} });
my $answer = $furl->request(method => uc $mode, url => $url, content => $mode eq 'post' ? '{}' : '');
print $answer->code, "\n";
