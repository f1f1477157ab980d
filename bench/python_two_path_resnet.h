// python_two_path_resnet.h: the two-path ResNet as one would write it in PyTorch, for the scripts of the
// Python sides.
#pragma once

namespace earmark {

/// Behind the imports of torch, of torch.nn as nn and of torch.nn.functional as F: defines the module Resnet
/// of 128 bands and 6 channels, which answers with the scores of 10 scenes, by logits() with what their
/// softmax is taken of. Its BatchNorms have no scale and offset; frozen TorchScript wants them there, so with
/// affine they are ones and zeros.
inline constexpr const char* kPythonTwoPathResnet = R"(
class Unit(nn.Module):
    def __init__(self, norm, i, o, stride):
        super().__init__()
        self.f = nn.Sequential(norm(i), nn.ReLU(), nn.Conv2d(i, o, 3, (1, stride), 1, bias=False),
                               norm(o), nn.ReLU(), nn.Conv2d(o, o, 3, 1, 1, bias=False))
        self.grow, self.stride = o - i, stride
    def forward(self, x):
        y = self.f(x)
        if self.stride > 1:
            x = F.avg_pool2d(x, 3, (1, 2), 1, count_include_pad=False)
        if self.grow:
            x = F.pad(x, (0, 0, 0, 0, 0, self.grow))
        return x + y
class Resnet(nn.Module):
    def __init__(self, affine=False):
        super().__init__()
        norm = lambda c: nn.BatchNorm2d(c, eps=1e-3, affine=affine)
        def path():
            layers, c = [norm(6), nn.Conv2d(6, 24, 3, (1, 2), 1, bias=False)], 24
            for stack in range(4):
                o = 24 << stack
                layers += [Unit(norm, c, o, 2 if stack else 1), Unit(norm, o, o, 1)]
                c = o
            return nn.Sequential(*layers)
        self.low, self.high = path(), path()
        self.head = nn.Sequential(norm(192), nn.ReLU(), nn.Conv2d(192, 768, 1, bias=False), norm(768),
                                  nn.Conv2d(768, 10, 1, bias=False), norm(10))
    def logits(self, x):
        return self.head(torch.cat([self.low(x[:, :, :64]), self.high(x[:, :, 64:])], 2)).mean((2, 3))
    def forward(self, x):
        return torch.softmax(self.logits(x), 1)
)";

}  // namespace earmark
