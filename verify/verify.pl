#!/usr/bin/perl
# A stranger's verifier of an edition. It shares no code with what made the edition and needs Perl 5 (core modules) and
# openssl: signature, digest of every file, root over the rows, and the year's guarantee, budget and shortfall of
# townships, recomputed from cells and standards that it reads itself in the archive. See README.md beside it.
use strict; use warnings; use utf8;
use Digest::SHA qw(sha256_hex); use Encode (); use Getopt::Long; use JSON::PP (); use Math::BigInt; use Math::BigRat;
use IO::Uncompress::Gunzip qw(gunzip); use IO::Uncompress::Unzip qw($UnzipError); use File::Find (); use Cwd (); use List::Util qw(min max);
binmode STDOUT, ':utf8'; binmode STDERR, ':utf8'; my ($edition, $archive, $key, $sample, $seed, $all) = ('', '', '', 0, 1, 0);
GetOptions('edition=s' => \$edition, 'archive=s' => \$archive, 'key=s' => \$key, 'sample=i' => \$sample, 'seed=i' => \$seed, 'all' => \$all)
    && $edition ne '' && !(@ARGV % 2) or die "用法：perl verify.pl --edition 版本文件夹 [--archive 存档文件夹] [--key 公钥] [--all | --sample 个数 [--seed 数] | 区划代码 月份 ...]\n";
$edition = Cwd::abs_path($edition) // $edition; $archive ||= "$edition/../../../archive"; my $bad = 0;
sub wrong { $bad++; print "× @_\n" }
sub slurp { my ($path) = @_; open(my $file, '<:raw', $path) or return undef; local $/; my $all = <$file>; return $all // '' }

# --- signature, digests, root over the rows ------------------------------------------------------------------------
my $written = slurp("$edition/manifest.json") // die "× 版本文件夹 $edition 中没有清单 manifest.json，无从核对。\n";
my $manifest = eval { JSON::PP->new->utf8->decode($written) } or die "× 清单 manifest.json 不是能读的 JSON，已损坏。\n";
{
    my $by = $key || "$edition/signing.pub";
    my @openssl = (qw(openssl pkeyutl -verify -rawin -pubin -inkey), $by, '-in', "$edition/manifest.json", '-sigfile', "$edition/manifest.sig");
    open(my $said, '-|', @openssl) or die "× 找不到 openssl，无法核对签名。\n";
    my $out = do { local $/; <$said> } // '';
    if (close($said) && $out =~ /Verified Successfully/) { print "√ 签名相符", ($key ? '' : "（用的是版本自带的公钥，请另以发布单位给的公钥核对）"), "\n" }
    else { wrong("签名不符：manifest.json 或 manifest.sig 改动过，或公钥 $by 不是签名的那一把。") }
}
{
    my $files = $manifest->{files} || {}; my %there;
    File::Find::find({no_chdir => 1, wanted => sub { -d $_ or $there{Encode::decode('UTF-8', substr($_, length($edition) + 1))} = 1 }}, $edition);
    delete @there{'manifest.json', 'manifest.sig'};
    my %sm3 = map { /^(\w{64})\s+\*?(.+)$/ ? ($2 => $1) : () } sm3_lines(map { Encode::encode('UTF-8', "$edition/$_") } sort keys %there);
    for my $name (sort keys %{{%there, %$files}}) {
        if (!$files->{$name}) { wrong("文件 $name 不在清单中，是发布以后放进来的。"); next }
        if (!$there{$name}) { wrong("缺少文件 $name。"); next }
        my $path = Encode::encode('UTF-8', "$edition/$name"); my $seen = eval { Digest::SHA->new(256)->addfile($path, 'b')->hexdigest } // '';
        wrong("文件 $name 的内容与清单登记的校验值不符。")
            if $seen ne $files->{$name}{sha256} || -s $path != $files->{$name}{bytes} || ($sm3{$path} // $files->{$name}{sm3}) ne $files->{$name}{sm3};
    }
    print "√ 登记的文件 ", scalar(keys %$files), " 个，SHA-256", (%sm3 ? ' 和 SM3' : '（本机 openssl 没有 SM3）'), " 已核对\n";
}
sub sm3_lines { open(my $said, '-|', 'openssl', 'dgst', '-sm3', '-r', @_) or return (); my @lines = <$said>; close($said) ? @lines : () }

sub table {    # files of text, mostly one a year: rows as hashes, and the lines as they stand
    my ($name) = @_; my ($head, @lines); for my $file (grep { m{^places/$name(?:-\w+)?\.tsv\.gz$} } sort keys %{$manifest->{files} || {}}) {
        my $packed = slurp("$edition/$file") // next; my $text; gunzip(\$packed, \$text) or do { wrong("$file 解不开。"); next }; ($head, my @more) = split /\n/, $text, -1; pop @more; push @lines, @more }
    if (!defined $head) { wrong("没有 places/$name 的文件，无法复算。"); return ([], []) } my @names = split /\t/, Encode::decode('UTF-8', $head);
    my %plain = ('\\' => '\\', t => "\t", n => "\n", r => "\r");
    my $cells = sub { map { $_ eq '\N' ? undef : s/\\(.)/$plain{$1}/gr } split /\t/, Encode::decode('UTF-8', $_[0]), -1 };
    return ([map { my %row; @row{@names} = $cells->($_); \%row } @lines], \@lines);
}
my ($figures, $lines) = table('figures'); my ($reports) = table('reports'); my ($tables) = table('tables');
{
    my (%buckets, %parts);
    my @digests = map { sha256_hex("main.funding_gap_monthly\t$_") } @$lines;
    push @{$buckets{substr($figures->[$_]{month}, 0, 4)}{substr($digests[$_], 0, 3)}}, $digests[$_] for 0 .. $#digests;
    for my $year (keys %buckets) { my $of = $buckets{$year}; $parts{$year} = sha256_hex(join '', map { sha256_hex(join '', sort @{$of->{$_}}) } sort keys %$of) }
    my $told = $manifest->{row_parts} || {}; my $same = sub { my ($p) = @_; join '', map { "$_\t$p->{$_}\n" } sort keys %$p };
    wrong('funding_gap_monthly 的行与清单登记的不符。') if $same->(\%parts) ne $same->($told->{'main.funding_gap_monthly'} || {});
    my $root = sha256_hex(join '', map { "$_\t" . sha256_hex($same->($told->{$_})) . "\n" } sort keys %$told);
    wrong('清单的总校验值 merkle_root 与各表的不符。') if $root ne ($manifest->{merkle_root} // ''); print "√ 经费缺口表 ", scalar(@$lines), " 行的校验值已核对\n";
}

# --- the archive: files by their digest, as sheets of cells --------------------------------------------------------
my (%sheets, %bytes);
sub content {    # bytes of a digest, or dies with the reason
    my ($sha) = @_; return $bytes{$sha} if defined $bytes{$sha}; my $found = slurp("$archive/$sha") // die "存档中没有 $sha\n";
    die "存档文件 $sha 的内容与校验值不符\n" if sha256_hex($found) ne $sha; return $bytes{$sha} = $found;
}
sub decoded { my ($raw) = @_; $raw =~ s/^\xEF\xBB\xBF//; eval { Encode::decode('UTF-8', my $copy = $raw, Encode::FB_CROAK) } // Encode::decode('cp936', $raw) }
sub records {    # CSV as rows of fields; the delimiter is the one that parts the given row (or the first) most
    my ($text, $row) = @_; $text =~ s/\r\n?/\n/g; $text =~ s/\0//g; my $line = (split /\n/, $text, -1)[($row || 1) - 1] // '';
    my ($mark, $most) = (',', 0);
    for my $try (',', "\t", ';', '|') { my $count = () = $line =~ /\Q$try\E/g; ($mark, $most) = ($try, $count) if $count > $most }
    my (@rows, @fields); pos($text) = 0;
    while (pos($text) < length $text) {
        my $field = $text =~ /\G"((?:[^"]|"")*)"/gc ? $1 =~ s/""/"/gr : ''; $field .= $1 if $text =~ /\G([^\Q$mark\E\n]+)/gc; push @fields, $field;
        next if $text =~ /\G\Q$mark\E/gc && (pos($text) < length $text || push @fields, ''); $text =~ /\G\n/gc; push @rows, [@fields]; @fields = ();
    }
    push @rows, [@fields] if @fields; return \@rows;
}
sub sheet {    # row → column → [text, places that its format fixes, is a formula]
    my ($sha, $name, $row) = @_;
    return $sheets{$sha}{$name // ''} //= do {
        my ($raw, $at, %cells) = (content($sha), 0);
        die "文件既不是 xlsx 也不是 CSV，本程序不读\n" if $raw =~ /^(?:\xD0\xCF\x11\xE0|\xFF\xFE|\xFE\xFF|\s*<)/;
        for my $record ($raw =~ /^PK/ ? () : @{records(decoded($raw), $row)}) { $at++; my $c = 0; $cells{$at}{++$c} = [$_, undef, 0] for @$record }
        $raw =~ /^PK/ ? xlsx($raw)->($name) : \%cells;
    };
}
my %BUILTIN = (1 => 0, 2 => 2, 3 => 0, 4 => 2, (map { $_ => 0 } 5, 6, 37, 38, 41, 42), (map { $_ => 2 } 7, 8, 39, 40, 43, 44));
sub places_of {    # decimals that a number format fixes
    my ($code) = @_; $code =~ s/"[^"]*"|\\.|[_*].|\[[^\]]*\]//g; $code =~ s/;.*//s;
    return undef if $code !~ /[0#?]/ || $code =~ m{[%e/\@ymdhs]|general}i; my ($after) = $code =~ /\.(.*)/s;
    my $digits = () = ($after // '') =~ /[0#?]/g; my ($commas) = $code =~ /[0#?](,+)[^0#?]*$/; return $digits - 3 * length($commas // '');
}
sub tags {    # calls back for every tag (name without prefix, attributes, opens, closes) and every text
    my ($xml, $tag, $text) = @_;
    while ($xml =~ /\G(?:([^<]+)|<!--.*?-->|<!\[CDATA\[(.*?)\]\]>|<\?.*?\?>|<(\/?)([^\s\/>]+)((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>)/gcs) {
        if (defined $1 || defined $2) { $text->(defined $2 ? $2 : unescaped($1)) if $text; next }
        next if !defined $4; my ($end, $name, $rest, $empty) = ($3, $4 =~ s/^.*://r, $5, $6);
        my %told; $told{$1 =~ s/^.*://r} = unescaped($2 // $3) while $rest =~ /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
        $tag->($name, \%told, $end eq '', $end ne '' || $empty ne '');
    }
}
sub unescaped { my ($s) = @_; my %e = (lt => '<', gt => '>', amp => '&', quot => '"', apos => "'"); $s =~ s/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/defined $1 ? chr hex $1 : defined $2 ? chr $2 : $e{$3}/ger }
my %workbooks;
sub xlsx {    # sheets of a workbook by name
    my ($raw) = @_; return $workbooks{length($raw) . sha256_hex($raw)} //= do {
        my (%part, $zip); $zip = IO::Uncompress::Unzip->new(\$raw) or die "不能解开：$UnzipError\n";
        for (my $more = 1; $more > 0; $more = $zip->nextStream) {
            my ($name, $text, $buffer) = ($zip->getHeaderInfo->{Name}, ''); $text .= $buffer while $zip->read($buffer) > 0;
            $part{$name} = $text =~ /^\xFF\xFE|^\xFE\xFF/ ? Encode::decode('UTF-16', $text) : decoded($text) if $name =~ /\.(?:xml|rels)$/;
        }
        my (%target, %place, @shared, @styles, %custom, $in);
        tags($part{'xl/_rels/workbook.xml.rels'} // '', sub { $target{$_[1]{Id}} = $_[1]{Target} if $_[0] eq 'Relationship' });
        tags($part{'xl/workbook.xml'} // '', sub { $place{$_[1]{name}} = $target{$_[1]{id}} if $_[0] eq 'sheet' && $_[2] }); my ($quiet, $cells_of_styles) = (0, 0);
        tags($part{'xl/sharedStrings.xml'} // '', sub { my ($n, $t, $o, $c) = @_; push @shared, '' if $n eq 'si' && $o; $in = $o && !$c if $n eq 't'; $quiet = $o && !$c if $n eq 'rPh' },
            sub { $shared[-1] .= $_[0] if $in && !$quiet && @shared });
        tags($part{'xl/styles.xml'} // '', sub {
            my ($n, $t, $o, $c) = @_; $custom{$t->{numFmtId}} = $t->{formatCode} if $n eq 'numFmt' && $o;
            $cells_of_styles = $o && !$c if $n eq 'cellXfs'; push @styles, $t->{numFmtId} // 0 if $n eq 'xf' && $o && $cells_of_styles;
        });
        my @fixed = map { defined $custom{$_} ? places_of($custom{$_}) : $BUILTIN{$_} } @styles;
        sub {
            my ($name) = @_; my $path = $place{$name // (sort keys %place)[0] // ''} // die "没有工作表 $name\n";
            $path = $path =~ m{^/(.*)} ? $1 : "xl/$path"; my (%cells, $row, $column, $cell, $value, $take, $formula); ($row, $column) = (0, 0);
            tags($part{$path} // die("没有 $path\n"), sub {
                my ($n, $t, $o, $c) = @_;
                if ($n eq 'row' && $o) { $row = $t->{r} // $row + 1; $column = 0 }
                elsif ($n eq 'c') {
                    ($cell, $value, $formula, $column) = ($t, '', 0, $column + 1) if $o;
                    ($column, $row) = (number_of($1), $2) if $o && ($t->{r} // '') =~ /^([A-Z]+)(\d+)$/;
                    return if !$c || $value eq '';
                    my $kind = $cell->{t} // 'n';
                    my $text = $kind eq 's' ? $shared[$value] // '' : $kind eq 'n' ? sprintf('%.15g', $value) : $value;
                    $cells{$row}{$column} = [$text, $kind eq 'n' ? $fixed[$cell->{s} // 0] : undef, $formula] if $text ne '';
                }
                elsif ($n eq 'f') { ($formula, $take) = (1, 0) } elsif ($n eq 'v' || $n eq 't') { $take = $o && !$c }
            }, sub { $value .= $_[0] if $take });
            return \%cells;
        };
    };
}
sub number_of { my $n = 0; $n = $n * 26 + ord($_) - 64 for split //, $_[0]; $n }

# --- what a cell says ----------------------------------------------------------------------------------------------
my %POWER = (十万 => 5, 百万 => 6, 千万 => 7, 亿 => 8, 万 => 4, 千 => 3, 百 => 2, '' => 0);
sub folded { my ($s) = @_; $s //= ''; $s =~ tr/０-９．，－＋（）：　/0-9.,\-+():\x20/; $s =~ s/[\s\x{a0}\x{200b}\x{feff}]//g; $s }
sub quantity {    # (whole number, places after the point, power of ten of the unit that the cell names) or nothing
    my ($text) = @_; my $s = folded($text) =~ s/^[¥￥']//r; return if $s =~ m{^(?:[-—–/]*|无|没有|未报|未报送|不详|暂无|无数据|零报告|N/A|\.)$}; my $unit;
    $unit = $POWER{$1} if $s =~ s/(十万|百万|千万|亿|万|千|百)(?:元|人|户|名)?$//; $unit //= 0 if $s =~ s/(?:元整|元|圆|人|户|名)$//;
    $s =~ s/,//g if $s =~ /^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
    my ($sign, $whole, $part, $e) = $s =~ /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/ or die "单元格“$text”的写法本程序不读\n"; $part //= '';
    my ($digits, $places) = (Math::BigInt->new("$sign$whole$part" =~ s/^([-+]?)$/${1}0/r), length($part) - ($e // 0));
    ($digits, $places) = ($digits * Math::BigInt->new(10)->bpow(-$places), 0) if $places < 0; return ($digits, $places, $unit);
}
sub scaled {    # number × 10^by, rounded half up
    my ($digits, $by) = @_; my $ten = Math::BigInt->new(10)->bpow(abs $by); return $digits * $ten if $by >= 0;
    return ($digits < 0 ? -1 : 1) * ((2 * abs($digits) + $ten) / (2 * $ten));
}
my (%tables_of, %rows_of, %of_code, %powers, %places_of_column);
push @{$tables_of{$_->{sha256}, $_->{dataset}, $_->{sheet} // ''}}, {%$_, columns => JSON::PP->new->decode($_->{columns} // '{}')} for @$tables;
for (@$reports) { push @{$rows_of{$_->{sha256}, $_->{dataset}, $_->{sheet} // ''}}, $_; push @{$of_code{$_->{dataset}}{$_->{code}}}, $_ if defined $_->{code} }
sub table_of {    # the table of a row: the nearest above it, of two beside one another the one with the row's code
    my ($row) = @_; return $row->{table} //= do {
        my @above = sort { $b->{header_row} <=> $a->{header_row} } grep { $_->{header_row} < $row->{row_number} } @{$tables_of{$row->{sha256}, $row->{dataset}, $row->{sheet} // ''} || []};
        @above = grep { $_->{header_row} == $above[0]{header_row} } @above;
        my $cells = sheet($row->{sha256}, $row->{sheet}, $above[0] && $above[0]{header_row})->{$row->{row_number}} || {};
        my $code = sub { my $at = $_[0]{columns}{reported_code} // $_[0]{columns}{division_code}; $at && $at =~ /^[A-Z]+$/ && $cells->{number_of($at)} ? folded($cells->{number_of($at)}[0]) : '' };
        my $found = (@above > 1 ? (grep { ($row->{reported_code} // '-') eq substr($code->($_), 0, length($row->{reported_code} // '-')) } @above)[0] : undef) // $above[0]
            // die "没有说明 $row->{sha256} 第 $row->{row_number} 行属于哪张表（本单位的更正不在报表中）\n";
        my $said = $code->($found);
        die "存档 $row->{sha256} 第 $row->{row_number} 行的区划代码是 $said，不是 $row->{reported_code}\n"
            if $said =~ /^\d{9}(?:000)?$/ && defined $row->{reported_code} && index($said, $row->{reported_code}) != 0;
        my $at = $found->{columns}{month}; my $when = $at && defined $row->{month} && $cells->{number_of($at)} ? folded($cells->{number_of($at)}[0]) : '';
        my @said_months = $when =~ m{^((?:19|20)\d\d)(?:年|-|/)?(\d{1,2})月?$} ? sprintf('%04d-%02d', $1, $2) : $when =~ /^\d{5}$/ ? map { substr(day_of(2415019 + $when + $_), 0, 7) } 0, 1462 : ();
        die "存档 $row->{sha256} 第 $row->{row_number} 行的月份是 $said_months[0]，不是 $row->{month}\n" if @said_months && !grep { $_ eq substr($row->{month}, 0, 7) } @said_months;
        $found;
    };
}
sub cell { my ($row, $column) = @_; my $t = table_of($row); my $at = $t->{columns}{$column} // return; die "表格横放，本程序不读\n" if $at !~ /^[A-Z]+$/; (sheet($row->{sha256}, $row->{sheet}, $t->{header_row})->{$row->{row_number}} || {})->{number_of($at)} }
sub power {    # of ten, of a column's unit: its own heading's, else that of the lines around the table, of the sheet, of the file
    my ($t, $column) = @_;
    return $powers{$t}{$column} //= do {
        my ($cells, $at, $money) = (sheet($t->{sha256}, $t->{sheet}, $t->{header_row}), number_of($t->{columns}{$column}), $column =~ /_cny$/);
        my $words = $money ? qr/((?:十万|百万|千万|[百千万亿])?)元/ : qr/((?:[百千万])?)[人户]/; my $found;
        for my $row (reverse max(1, $t->{header_row} - 3) .. $t->{header_row}) {
            next if defined $found || !$cells->{$row}{$at}; my $title = folded($cells->{$row}{$at}[0]);
            $found = $POWER{$1} if $title =~ /\((?:单位:?)?$words(?:数)?\)/ || $title =~ m{[/,、]$words$} || $title =~ /((?:十万|百万|千|万|亿))(??{ $money ? '元' : '[人户]' })$/;
        }
        my @around = map { my $row = $cells->{$_}; join ' ', map { $row->{$_}[0] } sort { $a <=> $b } keys %$row } sort { $a <=> $b } grep { $_ < $t->{header_row} || $_ > $t->{header_row} } keys %$cells;
        for my $line (@around, $t->{sheet}, $t->{file_name}) {
            last if defined $found; my $s = folded($line);
            $found = $POWER{$1} if $s =~ /单位[:为]?[^()]*?$words/ && $POWER{$1} || $s =~ /\(((?:十万|百万|千万|[百千万亿]))(??{ $money ? '元' : '[人户]' })\)/;
        }
        $found // 0;
    };
}
sub written {    # of a figure: whole number, places, power of ten of its unit; nothing where nothing is reported
    my ($row, $column) = @_; my $cell = cell($row, $column) or return; my ($digits, $places, $own) = quantity($cell->[0]) or return;
    return ($digits, $places, $own // power(table_of($row), $column), $cell);
}
sub exponent {    # of ten, of one unit of the last place with which a figure was written (FIGURES 2)
    my ($row, $column) = @_; my ($digits, $places, $unit) = written($row, $column);
    my $of = $places_of_column{$row->{sha256}, $row->{sheet} // '', $column} //= do {
        my %by;
        for my $each (@{$rows_of{$row->{sha256}, $row->{dataset}, $row->{sheet} // ''}}) { my ($d, $p, $u, $cell) = eval { written($each, $column) } or next; push @{$by{$u}}, [$u - $p, @$cell[1, 2]] }
        my %found;
        for my $u (keys %by) {
            my @cells = @{$by{$u}}; my @typed = grep { !$_->[2] } @cells; my @last = sort { $a <=> $b } map { $_->[0] } @typed ? @typed : @cells;
            my ($stored) = grep { my $limit = $_; 10 * (grep { $_ <= $limit } @last) >= @last } @last;
            my (%count, @shown); $count{$_}++ for @shown = grep { defined } map { $_->[1] } @cells;
            my ($common) = sort { $count{$b} <=> $count{$a} || $b <=> $a } keys %count; $found{$u} = 2 * @shown > @cells ? $u - $common : $stored;
            $found{$u} = min($found{$u}, 2) if $column =~ /_cny$/ && @cells < 10 && $u == 4;
        }
        \%found;
    };
    return max($column =~ /_cny$/ ? -2 : 0, min($unit - $places, $of->{$unit} // $unit - $places));
}

# --- units, standards ----------------------------------------------------------------------------------------------
sub month_index { my ($y, $m) = split /-/, $_[0]; $y * 12 + $m - 1 }
sub day_number { my ($y, $m, $d) = split /-/, $_[0]; my $a = int((14 - $m) / 12); $y += 4800 - $a; $m += 12 * $a - 3; $d + int((153 * $m + 2) / 5) + 365 * $y + int($y / 4) - int($y / 100) + int($y / 400) - 32045 }
sub day_of { my $j = $_[0] + 32044; my $g = int((4 * $j + 3) / 146097); $j -= int(146097 * $g / 4); my $c = int((4 * $j + 3) / 1461); $j -= int(1461 * $c / 4); my $m = int((5 * $j + 2) / 153); sprintf('%04d-%02d-%02d', 100 * $g + $c - 4800 + int($m / 10), $m + 3 - 12 * int($m / 10), $j - int((153 * $m + 2) / 5) + 1) }
sub a_day { my $s = folded($_[0]); return undef if $s eq ''; return day_of(2415019 + $s) if $s =~ /^\d{5}$/; return sprintf('%04d-%02d-%02d', $1, $2, $3) if $s =~ m{^(\d{4})[-年/.](\d{1,2})[-月/.](\d{1,2})日?(?:00:00:00)?$}; die "日期“$s”的写法本程序不读\n" }
sub latest { my ($best) = sort { $b->{precedence} <=> $a->{precedence} || $a->{sha256} cmp $b->{sha256} || ($a->{sheet} // '') cmp ($b->{sheet} // '') || $b->{row_number} <=> $a->{row_number} } @_; $best }
my (%unit, %before, %broken);
for my $code (keys %{$of_code{divisions}}) {
    next if length($code) != 9; my $row = latest(grep { $_->{row_status} eq 'accepted' } @{$of_code{divisions}{$code}}) or next;
    my %told = eval { map { my $cell = cell($row, $_); $_ => $cell ? $cell->[0] : undef } qw(division_type valid_from valid_to successor_code) };
    if ($@) { $broken{$code} = $@; next }
    my $next = folded($told{successor_code}); $next =~ s/000$// if length($next) == 12;
    $unit{$code} = eval { {type => folded($told{division_type}), from => a_day($told{valid_from}), to => a_day($told{valid_to}), next => $next} } or $broken{$code} = $@;
}
for my $u (values %unit) { my $next = $unit{$u->{next}} or next; $u->{to} = $next->{from} if $u->{to} && $next->{from} && day_number($next->{from}) == day_number($u->{to}) + 1 }
for my $code (sort keys %unit) { push @{$before{$unit{$code}{next}}}, $code if $unit{$code}{next} ne '' }
sub renamed {    # one successor, begun up to a month after; of two codes side by side the reports decide
    my ($old, $new) = map { $unit{$_ // ''} } @_; return 0 if !$new || !$new->{from} || !$old->{to}; my $later = day_number($new->{from}) - day_number($old->{to});
    die "新旧代码有一段时间并存，不在独立复算之列\n" if $later < 0 && $later >= -31; return @{$before{$_[1]}} == 1 && $later >= 0 && $later <= 31;
}
sub lineage {    # codes of one unit under all its names; dies where it took others over
    my ($code) = @_; die $broken{$code} if $broken{$code}; my @codes = $unit{$code} ? $code : die "行政区划表中没有 $code\n";
    push @codes, $unit{$codes[-1]}{next} while renamed($codes[-1], $unit{$codes[-1]}{next});
    for (my $first = $code; my @old = grep { $unit{$_}{to} } @{$before{$first} || []}; push @codes, $first = $old[0]) { renamed($old[0], $first) or die "有单位并入，不在独立复算之列\n" }
    return @codes;
}
my %standards;
{
    my %kept = map { $_->{name} => $_->{sha256} } @{$manifest->{standards_files} || []};
    my $read = sub {    # seeds, in which the data folder's own rows replace those of the same id
        my ($name, @ids) = @_;
        my ($seeds, $own) = map {
            my $sha = $kept{"$_/$name.csv"}; my ($head, @rows) = $sha ? @{records(decoded(content($sha)))} : ([]);
            [map { my %row; @row{map { s/^\s+|\s+$//gr } @$head} = map { defined && /\S/ ? s/^\s+|\s+$//gr : undef } @$_; \%row } grep { grep { defined && /\S/ } @$_ } @rows]
        } 'seeds', 'standards';
        my $id = sub { join "\t", map { $_[0]{$_} // '' } @ids }; my %gone = map { $id->($_) => 1 } @$own;
        return (grep({ !$gone{$id->($_)} } @$seeds), @$own);
    };
    eval {
        my %issuer = map { $_->{document_id} => $_->{issuer_code} } $read->('policy_documents', 'document_id'); my (%tiers, %number);
        for ($read->('standard_tiers', 'standard_id')) { $_->{tier_no} //= ++$number{$_->{standard_id}}; push @{$tiers{$_->{standard_id}}}, $_ }
        my @money = grep { $_->{formula} =~ /^(?:per_capita_by_tier|per_capita_marginal|flat_by_tier)$/ && ($_->{gradeable} // '') ne 'N' && ($_->{matter} // '') eq 'working_funds' } $read->('standards', 'standard_id');
        for (@money) {
            $_->{tiers} = [sort { $a->{tier_no} <=> $b->{tier_no} } @{$tiers{$_->{standard_id}}}]; $_->{issuer} = $_->{origin_issuer_code} // $issuer{$_->{document_id}};
            my ($from, $to) = (a_day($_->{effective_from}), a_day($_->{effective_to}));
            ($_->{from}, $_->{start}, $_->{issued}) = ($from, month_index($from), month_index(a_day($_->{issued_on}) // $from));
            $_->{end} = $to ? month_index(day_of(day_number($to) + 1)) - 1 : 999999;
            $_->{prefix} = $_->{scope_code} =~ s/^000000$//r =~ s/^(\d\d)0000$/$1/r =~ s/^(\d{4})00$/$1/r;
        }
        my ($minor) = grep { $_->{unit} eq '元' } $read->('materiality', 'unit');
        my %rank = map { ("$_->{figure} $_->{source}" => $_->{source_rank}) } $read->('source_precedence', 'figure', 'source'); my %funds = map { $_->{fund_code} => $_ } $read->('funds', 'fund_code');
        %standards = (money => \@money, minor => $minor, rank => \%rank, funds => \%funds);
    } or do { chomp(my $why = $@); wrong("标准文件读不出来：$why") if $why };
}
sub rank { my ($figure, $source) = @_; $standards{rank}{"$figure $source"} // $standards{rank}{"* $source"} // 99 }

# --- one township and month ----------------------------------------------------------------------------------------
sub people {    # of a basis: (number, least, most, is stale) that decides in a fiscal year (FIGURES 4); nothing if unknown
    my ($codes, $year, $basis) = @_; my $column = $basis eq 'resident' ? 'resident_population_persons' : 'population_persons'; my %by;
    for my $row (grep { $_->{row_status} eq 'accepted' } map { @{$of_code{population}{$_} || []} } @$codes) { push @{$by{$row->{month}}{$row->{code}}{$row->{source}}}, $row }
    my %known;
    for my $month (keys %by) {
        next if substr($month, 0, 4) > $year;
        for my $code (sort { $b cmp $a } keys %{$by{$month}}) {
            my $of = $by{$month}{$code}; my ($source) = sort { rank('population_persons', $a) <=> rank('population_persons', $b) || $a cmp $b } keys %$of;
            my $row = latest(@{$of->{$source}}); my ($digits, $places, $unit) = written($row, $column) or next;
            my $count = scaled($digits, $unit - $places); $known{$month} = [$count->numify, 10 ** exponent($row, $column)] if $count > 0;
        }
    }
    my @months = sort keys %known; my ($last) = reverse grep { substr($_, 0, 4) == $year - 1 } @months;
    my ($first) = grep { substr($_, 0, 4) == $year } @months; my ($old) = reverse grep { substr($_, 0, 4) < $year - 1 } @months;
    my $month = $last // $first // $old // return; my ($count, $p) = @{$known{$month}}; my $half = $p > 1 ? int($p / 2) : 0;
    return ($count, $count - $half, $count + $half - ($p > 1 && $p % 2 == 0 ? 1 : 0), !defined($last // $first));
}
sub annual {    # a standard's year's amount for so many people, in ten-thousandths of a 元
    my ($s, $people) = @_; my ($best, $lower, $true) = (undef, 0, sub { ($_[0] // '') =~ /^(?:true|1|是)$/i });
    for my $t (@{$s->{tiers}}) {
        my ($low, $high) = ($t->{lower_bound}, $t->{upper_bound});
        my ($rate, $times) = (scaled((quantity($t->{value}))[0], 4 - (quantity($t->{value}))[1]), $t->{unit} =~ /月$/ ? 12 : 1);
        my $in = (!defined $low || $people >= $low) && (!defined $high || $people <= $high); my $edge = $s->{edge_rule} // '';
        $in &&= !defined $high || $people < $high if $edge eq 'half_open';
        $in &&= (!defined $low || $people > $low || $true->($t->{lower_included})) && (!defined $high || $people < $high || $true->($t->{upper_included}))
            if $edge ne 'half_open' && $edge ne 'favour_township';
        my $amount = $s->{formula} eq 'per_capita_by_tier' ? $rate * $people * $times : $s->{formula} eq 'flat_by_tier' ? $rate * $times : ($lower + $rate * ($people - ($low // 0))) * $times;
        $lower += $rate * ($high - ($low // 0)) if defined $high; $best = $amount if $in && (!defined $best || $amount > $best);
    }
    return $best;
}
sub guarantee {    # (as written, least, is stale, is known) in 分; nothing where no standard is in force yet (FIGURES 3)
    my ($code, $codes, $year, $number) = @_; my ($january, $now) = ($year * 12, $year * 12 + $number - 1);
    my @covering = $unit{$code}{type} =~ /镇|乡|街道|苏木/ && $unit{$code}{type} !~ /类似|其他|其它|开发区|场/ ? grep { index($code, $_->{prefix}) == 0 && $_->{issued} <= $now } @{$standards{money}} : ();
    my ($start) = sort { $a <=> $b } map { $unit{$_}{from} ? month_index($unit{$_}{from}) : 0 } @$codes; my $begin = max($january, $start);
    my (%window, %range, $stale);
    for my $s (@covering) {
        my ($replaced) = sort { $a <=> $b } map { $_->{start} } grep { $_->{issuer} eq $s->{issuer} && $_->{document_id} ne $s->{document_id} && $_->{from} gt $s->{from} } @covering;
        my ($from, $to) = (max($s->{start}, $january), min($january + 11, defined $replaced && $replaced <= $s->{end} ? $replaced - 1 : $s->{end}));
        $window{$s->{standard_id}} = [$from, $to] if $to >= $from && $from <= $january + 11; my $basis = $s->{population_basis} // 'registered';
        $range{$basis} //= [people($codes, $year, $basis)];
    }
    my @used = grep { $window{$_->{standard_id}} } @covering;
    return if !grep { my $m = $_; grep { $window{$_->{standard_id}}[0] <= $m && $m <= $window{$_->{standard_id}}[1] } @used } $begin .. $now;
    my $sum = sub {    # for the number as written, or for one within its range
        my ($which) = @_; my $total = Math::BigRat->new(0);
        for my $month ($begin .. $january + 11) {
            my ($most, $share);
            for my $s (@used) {
                my ($from, $to) = @{$window{$s->{standard_id}}}; next if $month < $from || $month > $to;
                my $range = $range{$s->{population_basis} // 'registered'}; @$range or return undef; $stale = 1 if $range->[3];
                my $amount = annual($s, defined $which && $range->[1] < $range->[2] ? $which : $range->[0]) // return undef;
                ($most, $share) = ($amount, ($s->{accrual} // '') eq 'annual' ? $to - max($from, $begin) + 1 : 12) if !defined $most || $amount > $most;
            }
            $total += Math::BigRat->new("$most/$share") if defined $most;
        }
        return (($total / 100) + Math::BigRat->new('1/2'))->bfloor;    # ten-thousandths to 分, half up
    };
    my $plain = $sum->(undef); return (undef, undef, $stale, 0) if !defined $plain; my %turns;
    for my $s (@used) {
        my $range = $range{$s->{population_basis} // 'registered'}; next if $range->[1] >= $range->[2];
        $turns{$_} = 1 for grep { $_ > 0 } $range->[1], $range->[2], grep { $_ > $range->[1] && $_ < $range->[2] } map { defined $_->{lower_bound} ? ($_->{lower_bound}, $_->{lower_bound} + 1) : () } @{$s->{tiers}};
    }
    my ($least) = sort { $a <=> $b } map { $sum->($_) } keys %turns; return ($plain, $least // $plain, $stale, 1);
}
sub allocated {    # (分, precision in 分) of the year's budget of the working funds as of the month (FIGURES 5)
    my ($codes, $month) = @_; my %lanes;
    for my $row (grep { $_->{row_status} eq 'accepted' && substr($_->{month}, 0, 4) eq substr($month, 0, 4) && $_->{month} le $month
        && ($standards{funds}{$_->{fund_code}}{matter} // '') eq 'working_funds' } map { @{$of_code{budget}{$_} || []} } @$codes) { push @{$lanes{$row->{fund_code}}{$row->{source}}{$row->{month}}{$row->{code}}}, $row }
    my ($sum, $precision);
    for my $fund (keys %lanes) {
        my %amount;
        for my $source (keys %{$lanes{$fund}}) {
            my %last;
            for my $m (sort keys %{$lanes{$fund}{$source}}) {
                my ($code) = reverse sort keys %{$lanes{$fund}{$source}{$m}}; my $row = latest(@{$lanes{$fund}{$source}{$m}{$code}}); my %here;
                for my $column ('initial_budget_cny', 'adjusted_budget_cny') {
                    my ($digits, $places, $unit) = written($row, $column) or next;
                    $here{$column} = [scaled($digits, $unit - $places + 2), Math::BigInt->new(10)->bpow(2 + exponent($row, $column))];
                }
                # An adjusted 0 beside a positive budget waits for confirmation.
                delete $here{adjusted_budget_cny} if $here{adjusted_budget_cny} && $here{adjusted_budget_cny}[0] == 0 && $here{initial_budget_cny} && $here{initial_budget_cny}[0] > 0;
                @last{keys %here} = values %here;
            }
            my $found = $last{adjusted_budget_cny} // $last{initial_budget_cny}; $amount{$source} = $found if $found;
        }
        my ($source) = sort { rank('initial_budget_cny', $a) <=> rank('initial_budget_cny', $b) || $a cmp $b } keys %amount or next;
        $sum = ($sum // 0) + $amount{$source}[0]; $precision = ($precision // 0) + $amount{$source}[1];
    }
    return ($sum, $precision);
}
sub recomputed {    # the three figures of a township and month in 分, undef where unknown
    my ($code, $month) = @_; my @codes = lineage($code); my ($year, $number) = $month =~ /^(\d{4})-(\d\d)/;
    my ($g, $least, $stale) = guarantee($code, \@codes, $year, $number); my ($a, $p) = allocated(\@codes, $month); my $short;
    if (defined $g && defined $a && !$stale) {
        my ($below, $pct) = map { Math::BigRat->new($_ // 0) } @{$standards{minor}}{qw(below_amount below_pct)};
        my $coarse = 2 * $least < 2 * $a + $p && 2 * $least > 2 * $a - $p && $p > 200 * $below && $p * 50 > $least * $pct;
        $short = 2 * $a + $p <= 2 * $least ? $least - $a : 0 if !$coarse;
    }
    return (guaranteed_annual_cny => $g, allocated_annual_cny => $a, allocation_shortfall_cny => $short);
}
sub yuan { my ($fen) = @_; return '\N' if !defined $fen; my $s = sprintf('%03s', "$fen"); $s =~ s/(\d\d)$/.$1/; $s }

# --- which, and what came of it ------------------------------------------------------------------------------------
my @FIGURES = qw(guaranteed_annual_cny allocated_annual_cny allocation_shortfall_cny);
my @asked = map { my $row = $_; map { [$row, $_] } @FIGURES } @$figures;
if (@ARGV) {
    my %wanted; while (my ($code, $month) = splice @ARGV, 0, 2) { $wanted{"$code " . substr($month, 0, 7)} = 1 }
    @asked = grep { $wanted{"$_->[0]{township_code} " . substr($_->[0]{month}, 0, 7)} } @asked or wrong('版本中没有所指的乡镇和月份。');
}
elsif ($sample) { srand($seed); for my $at (reverse 1 .. $#asked) { my $other = int rand($at + 1); @asked[$at, $other] = @asked[$other, $at] } }
elsif (!$all) { @asked = () }
my (%done, %why, $equal, $unlike, $left); ($equal, $unlike, $left) = (0, 0, 0);
for (@asked) {
    last if $sample && $equal + $unlike >= $sample; my ($row, $figure) = @$_; my $id = "$row->{township_code} $row->{month}";
    $done{$id} //= eval { +{$row->{includes_predecessors} eq 'true' ? die("有单位并入，不在独立复算之列\n") : recomputed($row->{township_code}, $row->{month})} } // do { chomp(my $said = $@); $said };
    if (!ref $done{$id}) { $left++; $why{$done{$id}}++; next }
    my ($mine, $theirs) = (yuan($done{$id}{$figure}), $row->{$figure} // '\N');
    if ($mine eq $theirs) { $equal++ } else { $unlike++; wrong("$row->{township_code} ", substr($row->{month}, 0, 7), " $figure：发布 $theirs，由存档复算 $mine") }
    print "  $row->{township_code} $row->{township_name} ", substr($row->{month}, 0, 7), " $figure $mine\n" if keys(%done) <= 12 && !$all && !$sample;
}
print "复算 ", $equal + $unlike + $left, " 个数：相符 $equal，不符 $unlike，未能复算 $left\n" if @asked; print "  未能复算：$_（$why{$_} 个）\n" for sort keys %why;
for (sort keys %why) { $bad++ if /存档/ }
print $bad ? "× 共 $bad 处不符\n" : "√ 全部相符\n"; exit($bad ? 1 : 0);
