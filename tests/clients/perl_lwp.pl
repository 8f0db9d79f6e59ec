#!/usr/bin/perl
# Perl's LWP::UserAgent. Prints the status of each response.
use strict;
use warnings;
use LWP::UserAgent;

my ($mode, @urls) = @ARGV;
my $agent = LWP::UserAgent->new(keep_alive => 1, ssl_opts => { SSL_ca_file => $ENV{CA} });
for my $url (@urls) {
    my $response;
    if ($mode eq 'post') {
        open my $file, '<:raw', $ENV{BODY} or die;
        my $body = do { local $/; <$file> };
        $response = $agent->post($url, 'Content-Type' => 'application/json', Content => $body);
    } else {
        $response = $agent->get($url);
    }
    print $response->code, "\n";
}
