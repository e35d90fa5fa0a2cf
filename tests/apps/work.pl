# SPDX-License-Identifier: BSD-3-Clause
# work.pl: what scripts do with perl: regular expressions, hashes, sorting, formats, files, modules. Prints what it got.
use strict;
use warnings;
use Config;
use Data::Dumper;
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha1_hex sha256_hex);
use Encode qw(decode encode);
use Fcntl qw(:DEFAULT :flock :seek :mode);
use File::Basename qw(basename dirname fileparse);
use File::Find;
use File::Path qw(make_path remove_tree);
use File::Spec;
use File::Temp qw(tempfile);
use List::Util qw(first max min reduce shuffle sum uniq);
use MIME::Base64;
use POSIX qw(:errno_h :limits_h ceil floor fmod strftime strtol DBL_MAX INT_MAX);
use Scalar::Util qw(blessed looks_like_number reftype weaken);
use Storable qw(dclone freeze nstore retrieve thaw);
use Time::HiRes ();
use Time::Local qw(timegm);

my $scale = shift // 1;
my $seed = 12345;

# The same numbers everywhere: perl's own generator is the C library's business.
sub number { $seed = ($seed * 1103515245 + 12345) & 0x7fffffff; return $seed >> 8 }

sub words
{
    my @syllables = qw(ka lo mi ne ru sa to vi xe zu);
    return map { join '', map { $syllables[number() % @syllables] } 1 .. 2 + number() % 3 } 1 .. shift;
}

sub texts
{
    my @words = words(4000 * $scale);
    my %count;
    $count{$_}++ for @words;
    my @common = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
    printf "%-12s %5d\n", $_, $count{$_} for @common[0 .. 9];
    my $text = join ' ', @words;
    my $pairs = () = $text =~ /\b(\w+)\s+\1\b/g;
    (my $turned = $text) =~ s/\b(\w)(\w*)\b/$2\U$1/g;
    my %by_length;
    push @{$by_length{length $_}}, $_ for uniq @words;
    print "pairs $pairs, turned ", md5_hex($turned), "\n";
    print "$_: ", scalar @{$by_length{$_}}, "\n" for sort { $a <=> $b } keys %by_length;
    (my $vowels = $text) =~ tr/aeiou//cd;
    print "vowels ", length $vowels, ", reversed ", substr(reverse($text), 0, 30), "\n";
    while ($text =~ /(?<head>ka(?:lo)+)(?=mi)/g) {
        print "$+{head} at ", pos $text, "\n";
        last if pos $text > 2000;
    }
    my $nested = qr/\((?:[^()]++|(?R))*\)/;
    print join('|', '(a(b)c)(d(e(f)))' =~ /$nested/g), "\n";
    print join('|', split /\s*[,;]\s*/, 'a , b;c,d ; e'), "\n";
}

sub numbers
{
    printf "%d %5.2f %e %g %x %o %b %s|%-6s|%06.1f|%+d|%%|%c\n", 42, 3.14159, 12345.678, 1e-7, 255, 8, 5, 's', 'ab', 2.25, 7, 65;
    print 10 ** 15, ' ', 10 ** 16, ' ', 1 / 3, ' ', 1e21, ' ', 0.1 + 0.2, ' ', 9 ** 0.5, ' ', -7 % 3, ' ', 2 ** 63, "\n";
    print join(' ', map { sprintf '%.15g', $_ } sin(1), cos(1), atan2(1, 2), exp(1), log(10), sqrt(2)), "\n";
    print join(' ', floor(-1.5), ceil(-1.5), fmod(7, 3), INT_MAX, DBL_MAX, (strtol('ff', 16))[0]), "\n";
    print join(' ', hex('0xff'), oct('755'), oct('0b101'), int(-3.7), abs(-2), 0x7fff_ffff), "\n";
    my @numbers = map { number() % 1000 } 1 .. 1000 * $scale;
    my @sorted = sort { $a <=> $b } @numbers;
    my $mean = sum(@numbers) / @numbers;
    my $variance = sum(map { ($_ - $mean) ** 2 } @numbers) / @numbers;
    printf "%d %d %.6f %.6f\n", min(@numbers), max(@numbers), $mean, sqrt $variance;
    print reduce { ($a * 31 + $b) % 1_000_003 } 0, @sorted;
    print "\n";
    my @sieve = (1) x 20000;
    for my $i (2 .. 141) { next unless $sieve[$i]; for (my $j = $i * $i; $j < @sieve; $j += $i) { $sieve[$j] = 0 } }
    print 'primes ', scalar(grep { $sieve[$_] } 2 .. $#sieve), "\n";
}

sub packing
{
    my $packed = pack 'NnCa5A5Z5w/a*', 0xdeadbeef, 0x1234, 7, 'abc', 'de', 'fghij', 'counted';
    print unpack('H*', $packed), "\n";
    print join('|', unpack 'NnCa5A5Z5w/a*', $packed), "\n";
    print unpack('%32C*', 'checksum'), ' ', join(',', unpack '(A2)*', 'aabbcc'), ' ', unpack('H*', pack 'd<f>q', 1.5, -2.25, -5), "\n";
    my $bits = '';
    vec($bits, $_, 1) = 1 for 1, 5, 9, 31;
    print unpack('b*', $bits), "\n";
    print encode_base64('binary ' . join('', map chr, 0 .. 40), ''), "\n";
    print sha1_hex('abc'), ' ', sha256_hex('abc'), "\n";
    my $wide = decode('UTF-8', "na\xc3\xafve \xe2\x82\xac");
    print length $wide, ' ', uc(encode('UTF-8', uc $wide)), ' ', join(' ', map { sprintf 'U+%04X', ord } split //, $wide), "\n";
}

sub structures
{
    my %tree = (list => [1, [2, 3], {deep => 'yes'}], text => "line\n", none => undef, code => 1.5);
    local $Data::Dumper::Sortkeys = 1;
    local $Data::Dumper::Indent = 1;
    print Dumper(\%tree);
    my $copy = dclone(\%tree);
    $copy->{list}[1][0] = 20;
    print "$tree{list}[1][0] $copy->{list}[1][0] ", thaw(freeze($copy))->{list}[2]{deep}, "\n";
    $Storable::canonical = 1;
    nstore($copy, 'tree.store');
    print join(',', sort keys %{retrieve('tree.store')}), "\n";
    my $object = bless {name => 'n'}, 'Thing';
    print blessed $object, ' ', reftype $object, ' ', (looks_like_number('1e5') ? 1 : 0), ' ', "$object" =~ /^Thing=HASH\(0x/ ? 1 : 0, "\n";
    my @records = map { {name => $_, size => length} } words(6);
    print join(' ', map { "$_->{name}/$_->{size}" } sort { $a->{size} <=> $b->{size} or $a->{name} cmp $b->{name} } @records), "\n";
    my %inverse = reverse (a => 1, b => 2);
    print join(',', map { "$_=$inverse{$_}" } sort keys %inverse), ' ', exists $inverse{3} ? 'there' : 'absent', "\n";
}

sub files
{
    make_path('made/deep/er');
    open my $out, '>', 'made/lines.txt' or die "open: $!";
    printf $out "%04d %s\n", $_, (words(1))[0] for 1 .. 500;
    close $out or die "close: $!";
    open my $in, '<', 'made/lines.txt' or die "open: $!";
    my @tail;
    while (<$in>) { chomp; push @tail, $_; shift @tail if @tail > 3 }
    print "line $.: @tail\n";
    seek $in, -20, SEEK_END;
    local $/;
    print 'last bytes: ', length(<$in>), ', size ', -s 'made/lines.txt', ', ', -d 'made' ? 'directory' : 'no', "\n";
    close $in;
    sysopen my $new, 'made/new', O_CREAT | O_EXCL | O_RDWR, 0640 or die "sysopen: $!";
    flock $new, LOCK_EX or die "flock: $!";
    syswrite $new, 'x' x 100;
    truncate $new, 10;
    print 'again: ', (sysopen(my $again, 'made/new', O_CREAT | O_EXCL | O_RDWR) ? 'made' : $! == EEXIST ? 'EEXIST' : $!), "\n";
    printf "%04o %d\n", (stat $new)[2] & 07777, (stat _)[7];
    close $new;
    chmod 0600, 'made/new';
    utime 1000000000, 1000000001, 'made/new';
    symlink 'new', 'made/link';
    rename 'made/new', 'made/renamed';
    link 'made/renamed', 'made/hard';
    print join(' ', readlink 'made/link', -e 'made/link' ? 'there' : 'dangling', (stat 'made/hard')[3, 9], S_ISREG((stat _)[2]) ? 'file' : ''), "\n";
    my @found;
    find({wanted => sub { push @found, $File::Find::name }, no_chdir => 1}, 'made');
    print join(' ', sort @found), "\n";
    print join(' ', sort glob 'made/*'), ' ', basename('/a/b.c'), ' ', dirname('/a/b.c'), ' ', (fileparse('/x/y.tar.gz', qr/\.[^.]*/))[2], "\n";
    print File::Spec->catfile('a', 'b', 'c'), ' ', File::Spec->canonpath('/a/./b//c/'), ' ', File::Spec->abs2rel('/a/b/c', '/a/d'), "\n";
    unlink 'made/hard' or die;
    print 'missing: ', (open(my $no, '<', 'made/no') ? '' : "$!"), "\n";
    my ($temporary, $name) = tempfile('keptXXXX', DIR => 'made', UNLINK => 1);
    print $temporary 'data';
    close $temporary;
    remove_tree('made/deep');
    open my $memory, '<', \"one\ntwo\n";
    print 'in memory: ', length(<$memory>), "\n";
}

sub times
{
    print strftime('%Y-%m-%d %H:%M:%S %j %a %b', gmtime 1234567890), ' ', timegm(30, 31, 23, 13, 1, 2009), ' ', scalar gmtime(0), "\n";
    print Time::HiRes::time() > 1e9 ? 'after 2001' : 'before', ' ', Time::HiRes::sleep(0.001) > 0 ? 'slept' : '', "\n";
    local $SIG{ALRM} = sub { die "alarm\n" };
    print eval { kill ALRM => $$; 1 } ? 'no signal' : $@;
    local $SIG{__WARN__} = sub { print 'warning: ', $_[0] };
    my $undefined;
    my $sum = 1 + $undefined;
    print eval { die {code => 5}; 1 } ? '' : "died with $@->{code}\n";
    printf "%s %s\n", eval "2 +* 3" // 'syntax error', eval '(sub { $_[0] * 2 })->(21)';
}

format STDOUT_TOP =
Name       Size
---------------
.
our ($name, $size);
format STDOUT =
@<<<<<<<<< @>>>
$name,     $size
.

sub local_things
{
    ($name, $size) = ('first', 10);
    write;
    ($name, $size) = ('second one is long', 20000);
    write;
    my @stack = map { $_ * $_ } grep { $_ & 1 } 1 .. 9;
    print "@stack[1 .. 3] $#stack @{[reverse sort { $a <=> $b } @stack]}\n";
    print join(',', splice @stack, 1, 2, 'x', 'y', 'z'), " @stack\n";
    my $heredoc = <<"    END" =~ s/^\s+//gmr;
      two
      lines
    END
    print $heredoc, sprintf('%vd', '1.22.333'), ' ', ucfirst(lc 'WORD'), ' ', 'a' x 3, ' ', join(',', 'aa' .. 'ad'), "\n";
    my $fibonacci;
    $fibonacci = sub { my $n = shift; $n < 2 ? $n : $fibonacci->($n - 1) + $fibonacci->($n - 2) };
    print $fibonacci->(15), ' ', wantarray() ? 'list' : 'scalar', ' ', (caller 0)[3], "\n";
    local $ENV{NEW} = 'value';
    print "$ENV{NEW} $ENV{LC_ALL} ", $0 =~ /work\.pl$/ ? 'work.pl' : $0, ' ', scalar @ARGV, " $Config{useithreads}\n";
}

sub threaded
{
    require threads;
    require threads::shared;
    require Thread::Queue;
    my $queue = Thread::Queue->new;
    my @workers = map { threads->create(sub { my $sum = 0; while (defined(my $item = $queue->dequeue)) { $sum += $item } return $sum }) } 1 .. 3;
    $queue->enqueue(1 .. 300);
    $queue->end;
    my $total = 0;
    $total += $_->join for @workers;
    print "threads: $total\n";
}

my @parts = (\&texts, \&numbers, \&packing, \&structures, \&files, \&times, \&local_things);
push @parts, \&threaded if $Config{useithreads};
$_->() for @parts;
END { print "end\n" }
exit 7;
