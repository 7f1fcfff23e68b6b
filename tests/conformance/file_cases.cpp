// Files in and out of boxes, and what a box has changed.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {

std::vector<Case> file_cases() {
  return {
      {"Copy", "IntoABox",
       R"sh(echo text >$dir/file; tb cp $dir/file $plain:/tmp/copied 2>/dev/null
          tb exec $plain cat /tmp/copied)sh",
       "text\n"},
      {"Copy", "OutOfABox",
       R"sh(tb exec $plain sh -c 'echo inside >/tmp/to-copy'
          tb cp $plain:/tmp/to-copy $dir/file 2>/dev/null; cat $dir/file)sh",
       "inside\n"},
      {"Copy", "ADirectory",
       R"sh(mkdir -p $dir/tree/sub; echo deep >$dir/tree/sub/file; ln -s sub/file $dir/tree/link
          tb cp $dir/tree $plain:/tmp/tree 2>/dev/null; tb exec $plain cat /tmp/tree/link
          tb cp $plain:/tmp/tree $dir/back 2>/dev/null; cat $dir/back/sub/file; readlink $dir/back/link)sh",
       "deep\ndeep\nsub/file\n"},
      {"Copy", "KeepsTheMode",
       R"sh(echo '#!/bin/sh' >$dir/tool; chmod 755 $dir/tool; tb cp $dir/tool $plain:/tmp/tool 2>/dev/null
          tb exec $plain stat -c %a /tmp/tool)sh",
       "755\n"},
      {"Copy", "ManyBytes",
       R"sh(head -c 5000000 /dev/urandom >$dir/sent; tb cp $dir/sent $plain:/tmp/many 2>/dev/null
          tb cp $plain:/tmp/many $dir/received 2>/dev/null; cmp $dir/sent $dir/received && echo same)sh",
       "same\n"},
      {"Copy", "AStreamOut",
       R"sh(tb exec $plain sh -c 'echo inside >/tmp/streamed'; tb cp $plain:/tmp/streamed - | tar -xO -f -)sh",
       "inside\n"},
      {"Copy", "OfNoFile", R"sh(status tb cp $plain:/no/such $dir/file)sh", "1\n"},
      {"Copy",
       "OfAStoppedBox",
       R"sh(run --name $me busybox sh -c 'echo kept >/file'; tb cp $me:/file $dir/file 2>/dev/null; cat $dir/file)sh",
       "kept\n",
       {{"vm", "", files_of_a_machine}, {"qemu", "", files_of_a_machine}}},
      {"Diff", "TellsWhatChanged",
       R"sh(run -d --name $me busybox sh -c 'echo x >/new; echo x >>/etc/passwd; rm /etc/group; echo ready;
            exec sleep 1000000' >/dev/null
          until_logged $me ready; tb diff $me | sort)sh",
       "A /new\nC /etc\nC /etc/passwd\nD /etc/group\n"},
      {"Update", "ChangesALimit",
       R"sh(run -d --name $me --memory 192m busybox sleep 1000000 >/dev/null
          tb update --pids-limit 16 $me >/dev/null; inspect '{{.HostConfig.PidsLimit}}' $me
          tb exec $me sh -c 'for i in $(seq 40); do sleep 3 & done' 2>&1 | grep -c -m1 "can't fork")sh",
       "16\n1\n"},
  };
}

}  // namespace twinbox::conformance
