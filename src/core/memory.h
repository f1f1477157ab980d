// memory.h: what glibc's allocator does with memory that is freed. Of the whole process; elsewhere nothing
// happens.
#pragma once

namespace earmark {

/// Keeps it for the next use: page faults on fresh memory cost more than the work on small networks.
void keep_freed_memory();

/// Gives pieces of 32 MiB and more, and all that is free now, back to the system: of a network with some
/// hundred million weights the holes between the pieces that are kept add up to more than the weights.
void give_back_large_pieces();

}  // namespace earmark
