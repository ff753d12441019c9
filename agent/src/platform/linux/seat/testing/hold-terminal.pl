# A visitor's program that does not let go of its terminal: hold-terminal.pl NUMBER process|graphics
# "process": the kernel asks it before it leaves the terminal, and it only answers when it is told to.
# "graphics": the kernel itself refuses to leave the terminal.
use strict;
use warnings;

my ( $number, $how ) = @ARGV;
open my $terminal, '+<', "/dev/tty$number" or die "tty$number: $!\n";
$SIG{USR1} = 'IGNORE';
my $mode = pack "ccsss", ( $how eq "process" ? 1 : 0 ), 0, 10, 10, 0;
ioctl $terminal, 0x5602, $mode or die "$how: $!\n";    # VT_SETMODE
if ( $how eq "graphics" ) {
    ioctl $terminal, 0x4B3A, 1 or die "$how: $!\n";    # KDSETMODE, KD_GRAPHICS
}
$| = 1;
print "held\n";
<STDIN>;
ioctl $terminal, 0x5605, 1;              # VT_RELDISP: it may be left now
print "let go\n";
<STDIN>;
