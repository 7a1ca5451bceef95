from detector import Detector
import time,pathlib
a=pathlib.Path("demo/roundtrip.txt").read_text(); b=pathlib.Path("demo/original.txt").read_text()
t=time.time()
c=Detector.compare(a,b)
print(time.time()-t, c.language, c.reused, c.added, c.dropped, c.notes, c.signature)
for p in c.pairs:
    print(p.sentences,p.original_sentences,p.similarity)
    for x in p.changes: print("   ",x.operation,x.kind,repr(a[x.start:x.end]),"<-",repr(b[x.original_start:x.original_end]))
from detector import Comparison
assert Comparison.from_dict(c.to_dict())==c
