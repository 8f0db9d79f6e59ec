# Mojo::UserAgent: an event loop over IO::Socket::SSL.
use strict;
use warnings;
use Mojo::UserAgent;

my ($mode, $url) = @ARGV;
my $agent = Mojo::UserAgent->new->ca($ENV{CA});
my $answer = $mode eq 'post' ? $agent->post($url => '{}') : $agent->get($url);
print $answer->result->code, "\n";
