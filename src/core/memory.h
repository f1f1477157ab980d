// memory.h: what glibc's allocator does with memory that is freed. Of the whole process; elsewhere nothing
// happens.
#pragma once

namespace earmark {

/// Keeps it for the next use: page faults on fresh memory cost more than the work on small networks.
void keep_freed_memory();

/// Has what comes to lie in the next 4 GiB of the heap in pages of 2 MiB where the kernel has them to give
/// (transparent huge pages, `madvise` or `always`): a training touches so much memory in turn that looking up
/// small pages costs it a quarter of its time and more, and laying out the weights of a bundle is mostly
/// first touches, of which a large page needs one where small ones need 512. Takes address space alone. After
/// keep_freed_memory().
void use_large_pages();

/// Gives pieces of 1 MiB and more back to the system from now on, and all that is free now: of a network with
/// some hundred million weights the holes between the pieces that are kept add up to more than the weights,
/// which must be allocated after this call.
void give_back_large_pieces();

}  // namespace earmark
