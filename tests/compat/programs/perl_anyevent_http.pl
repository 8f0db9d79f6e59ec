# AnyEvent::HTTP: Net::SSLeay over memory BIOs.
use strict;
use warnings;
use AnyEvent;
use AnyEvent::HTTP;

my ($mode, $url) = @ARGV;
my $done = AnyEvent->condvar;
http_request uc $mode => $url, tls_ctx => { verify => 1, ca_file => $ENV{CA} }, ($mode eq 'post' ? (body => '{}') : ()), sub { $done->send($_[1]{Status}) };
print $done->recv, "\n";
