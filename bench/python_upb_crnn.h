// python_upb_crnn.h: the UPB CRNN as one would write it in PyTorch, for the scripts of the Python sides.
#pragma once

namespace earmark {

/// Behind the imports of torch, and of torch.nn as nn: defines block() and the module UpbCrnn, which answers
/// with logits of 80 tags.
inline constexpr const char* kPythonUpbCrnn = R"(
def block(i, o, pool=None, one_d=False, ceil=True):
    conv, norm = (nn.Conv1d, nn.BatchNorm1d) if one_d else (nn.Conv2d, nn.BatchNorm2d)
    layers = [conv(i, o, 3, padding=1), norm(o), nn.ReLU(inplace=True)]
    return layers + ([nn.MaxPool2d(pool, ceil_mode=ceil)] if pool else [])
class UpbCrnn(nn.Module):
    def __init__(self):
        super().__init__()
        layers, c = [], 1
        for i, o in enumerate((16, 32, 64, 128)):
            layers += block(c, o) + block(o, o, (2, 2) if i < 3 else (2, 1))
            c = o
        self.cnn = nn.Sequential(*layers, *block(128, 256, (2, 1)))
        self.tdnn = nn.Sequential(*block(1024, 256, one_d=True), *block(256, 256, one_d=True),
                                  *block(256, 256, one_d=True))
        self.gru = nn.GRU(256, 256, 2, batch_first=True)
        self.fc = nn.Sequential(nn.Linear(256, 256), nn.ReLU(inplace=True), nn.Linear(256, 80))
    def forward(self, x):
        h = self.tdnn(self.cnn(x).flatten(1, 2)).transpose(1, 2)
        return self.fc(self.gru(h)[0][:, -1])
)";

}  // namespace earmark
