#include "alloc/geometry.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace tarn::alloc {
namespace {

template <typename Geometry>
class AGeometry : public testing::Test {};
using Geometries = testing::Types<TarnGeometry, ClassicGeometry, ModernGeometry>;
TYPED_TEST_SUITE(AGeometry, Geometries);

TYPED_TEST(AGeometry, GivesEverySmallSizeTheSmallestBlockThatHoldsIt) {
  for (std::size_t size = 1; size <= TypeParam::small_request_max; ++size) {
    const std::size_t szidx = TypeParam::szidx_of(size);
    ASSERT_LT(szidx, TypeParam::size_classes);
    EXPECT_GE(TypeParam::block_size_of(szidx), size);
    EXPECT_LT(TypeParam::block_size_of(szidx), size + TypeParam::alignment);
  }
}

TYPED_TEST(AGeometry, HasNoClassForZeroNorForWhatIsTooLarge) {
  EXPECT_GE(TypeParam::szidx_of(0), TypeParam::size_classes);
  EXPECT_EQ(TypeParam::szidx_of(TypeParam::small_request_max + 1), TypeParam::size_classes);
  EXPECT_GE(TypeParam::szidx_of(PTRDIFF_MAX), TypeParam::size_classes);
  EXPECT_GE(TypeParam::szidx_of(SIZE_MAX), TypeParam::size_classes);
}

TYPED_TEST(AGeometry, FillsAPoolWithBlocksUpToARestThatIsNoBlock) {
  for (std::size_t szidx = 0; szidx < TypeParam::size_classes; ++szidx) {
    const std::size_t bytes = TypeParam::blocks_in_pool(szidx) * TypeParam::block_size_of(szidx);
    EXPECT_LE(bytes, TypeParam::pool_size);
    EXPECT_GT(bytes + TypeParam::block_size_of(szidx), TypeParam::pool_size);
    EXPECT_LE(TypeParam::blocks_in_pool(szidx), TypeParam::most_blocks_in_pool);
  }
}

TEST(TheClassicGeometry, IsTheNotes) {
  EXPECT_EQ(ClassicGeometry::arena_size, 256U * 1024);
  EXPECT_EQ(ClassicGeometry::pool_size, 4096U);
  EXPECT_EQ(ClassicGeometry::alignment, 8U);
  EXPECT_EQ(ClassicGeometry::small_request_max, 512U);
  EXPECT_EQ(ClassicGeometry::size_classes, 64U);
  EXPECT_EQ(ClassicGeometry::pools_per_arena, 64U);
}

TEST(TheModernGeometry, IsThatOfCPythonSince310) {
  EXPECT_EQ(ModernGeometry::arena_size, 1024U * 1024);
  EXPECT_EQ(ModernGeometry::pool_size, 16384U);
  EXPECT_EQ(ModernGeometry::alignment, 16U);
  EXPECT_EQ(ModernGeometry::small_request_max, 512U);
  EXPECT_EQ(ModernGeometry::size_classes, 32U);
  EXPECT_EQ(ModernGeometry::pools_per_arena, 64U);
}

TEST(TheMediumGeometry, GivesEverySizeTheSmallestClassThatHoldsIt) {
  using Medium = MediumGeometry;
  EXPECT_GE(Medium::szidx_of(0), Medium::size_classes);
  EXPECT_GE(Medium::szidx_of(512), Medium::size_classes);
  EXPECT_GE(Medium::szidx_of(Medium::small_request_max + 1), Medium::size_classes);
  EXPECT_GE(Medium::szidx_of(SIZE_MAX), Medium::size_classes);
  for (std::size_t size = 513; size <= Medium::small_request_max; ++size) {
    const std::size_t szidx = Medium::szidx_of(size);
    ASSERT_LT(szidx, Medium::size_classes) << size;
    ASSERT_GE(Medium::block_size_of(szidx), size) << size;
    if (szidx != 0) {
      ASSERT_LT(Medium::block_size_of(szidx - 1), size) << size;
    }
  }
}

}  // namespace
}  // namespace tarn::alloc
