# Net::Async::HTTP: IO::Async.
use strict;
use warnings;
use IO::Async::Loop;
use Net::Async::HTTP;
use URI;

my ($mode, $url) = @ARGV;
my $loop = IO::Async::Loop->new;
my $http = Net::Async::HTTP->new(SSL_ca_file => $ENV{CA});
$loop->add($http);
my $answer = $http->do_request(uri => URI->new($url), method => uc $mode, $mode eq 'post' ? (content => '{}', content_type => 'application/json') : ())->get;
print $answer->code, "\n";
