use strict;
use warnings;
use Test::More;

ok 1, 'loads';
is 2 + 3, 6, 'area of a rectangle';
subtest 'squares' => sub {
    plan tests => 2;
    ok 1, 'one by one';
    ok 0, 'two by two';
};
SKIP: {
    skip 'no ruler', 1;
}
TODO: {
    local $TODO = 'circles are hard';
    ok 0, 'area of a circle';
}
done_testing;
